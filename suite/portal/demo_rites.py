"""What comes back every week in the demonstration organisations."""

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Guest:
    """`answer` is None where the plan leaves it to chance."""

    email: str
    name: str = ""
    answer: str | None = None
    optional: bool = False


@dataclass(frozen=True)
class Rite:
    """Something that comes back: weekdays (Monday is 0), the organiser's address, and who is asked."""

    key: str
    weekdays: tuple[int, ...]
    time: dt.time
    minutes: int
    title: str
    organiser: str
    units: tuple[str, ...] = ()
    people: tuple[Guest, ...] = ()
    private: bool = False
    place: str = ""
    description: str = ""
    wants_room: bool = True
    wants_tchap: bool = False


EVERY_DAY = (0, 1, 2, 3, 4)
CLAIRE, KARIM = "claire.morel@dinum.example", "karim.benali@dinum.example"
SOPHIE, JULIEN = "sophie.lambert@dinum.example", "julien.fabre@dinum.example"
LEA, THOMAS = "lea.nguyen@dinum.example", "thomas.petit@dinum.example"
MATHILDE, INES = "mathilde.roux@dinum.example", "ines.haddad@dinum.example"
PAUL, NICOLAS = "paul.lefevre@dinum.example", "nicolas.roux@dinum.example"
NADIA, ELODIE = "nadia.bensaid@finistere.example", "elodie.marchand@finistere.example"
ANNE, YANN = "anne.legoff@bretagne.example", "yann.tanguy@bretagne.example"

SUPPLIER = Guest("d.keller@prestataire.example", "Dominique Keller", "accepted")
TOWN_HALL = Guest("accueil@mairie-quimper.example", "Mairie de Quimper")
TEACHER = Guest("m.riviere@college-bretagne.example", "Maud Rivière", "tentative")
RETIRED = Guest("ancien.compte@partenaire.example", "Alex Ferrand")

RITES: tuple[Rite, ...] = (
    Rite("quotidien", EVERY_DAY, dt.time(9, 15), 15, "Point quotidien", CLAIRE, units=("Portail",)),
    Rite(
        "equipe-portail",
        (0,),
        dt.time(10, 0),
        60,
        "Réunion d’équipe Portail",
        CLAIRE,
        units=("Portail",),
        place="Salle Fontenoy 1.03",
        description="1. Nouvelles de la semaine\n2. Recette de la version en cours\n3. Questions des préfectures",
    ),
    Rite(
        "comite",
        (1, 3),
        dt.time(10, 0),
        60,
        "Comité de suivi – Visio préfectures",
        KARIM,
        units=("Déploiement",),
        people=(
            Guest(CLAIRE, answer="accepted"),
            Guest(SOPHIE),
            Guest(NADIA),
            Guest(ANNE),
            Guest(PAUL, optional=True),
            SUPPLIER,
            RETIRED,
        ),
        description="1. Avancement par préfecture\n2. Incidents de la semaine\n3. Calendrier des formations",
        wants_tchap=True,
    ),
    Rite(
        "rh", (1,), dt.time(11, 30), 30, "Point RH avec Sophie Lambert", CLAIRE, people=(Guest(SOPHIE),), private=True
    ),
    Rite(
        "securite",
        (1, 4),
        dt.time(14, 0),
        60,
        "Revue de sécurité",
        PAUL,
        units=("Infrastructure",),
        people=(Guest(CLAIRE, answer="accepted"), Guest(KARIM, answer="accepted"), SUPPLIER),
        wants_tchap=True,
    ),
    Rite(
        "rgaa",
        (1,),
        dt.time(14, 30),
        60,
        "Atelier RGAA",
        THOMAS,
        people=(Guest(CLAIRE, answer="tentative"), Guest(LEA), Guest(MATHILDE), Guest(INES, answer="tentative")),
        place="Salle Ségur 2.12",
        description="Parcours au clavier des pages du portail, puis lecture d’écran.",
    ),
    Rite(
        "partenaires",
        (0, 2, 4),
        dt.time(16, 30),
        60,
        "Partenaires – Région Bretagne",
        ANNE,
        units=("Mobilités",),
        people=(Guest(CLAIRE, answer="needs_action"), Guest(KARIM, answer="needs_action"), TOWN_HALL),
    ),
    Rite(
        "parcours",
        (1, 3),
        dt.time(14, 0),
        90,
        "Parcours des invités externes",
        JULIEN,
        people=(Guest(CLAIRE, answer="needs_action"), Guest(LEA), Guest(THOMAS), TEACHER),
    ),
    Rite(
        "budget",
        (4,),
        dt.time(9, 0),
        60,
        "Revue budgétaire du 4ᵉ trimestre",
        PAUL,
        people=(Guest(CLAIRE, answer="needs_action"), Guest(NICOLAS), Guest(KARIM, answer="needs_action")),
    ),
    Rite(
        "deploiement",
        (2,),
        dt.time(9, 30),
        60,
        "Point déploiement – collectivités",
        NICOLAS,
        units=("Déploiement",),
        people=(Guest(KARIM, answer="needs_action"), Guest(ANNE), Guest(YANN)),
    ),
    Rite(
        "produit",
        (2,),
        dt.time(11, 0),
        60,
        "Comité produit",
        CLAIRE,
        people=(Guest(KARIM), Guest(LEA), Guest(PAUL)),
    ),
    Rite("recette", (3,), dt.time(16, 0), 60, "Recette de la version", KARIM, units=("Portail",)),
    Rite(
        "formation",
        (2,),
        dt.time(14, 0),
        120,
        "Formation Visio – agents d’accueil",
        KARIM,
        units=("Guichet",),
        people=(Guest(NADIA),),
    ),
    Rite(
        "entretien", (3,), dt.time(11, 30), 60, "Entretien professionnel", CLAIRE, people=(Guest(KARIM),), private=True
    ),
    Rite(
        "exploitation",
        EVERY_DAY,
        dt.time(8, 45),
        15,
        "Point exploitation",
        PAUL,
        units=("Infrastructure",),
    ),
    Rite(
        "guichet",
        EVERY_DAY,
        dt.time(8, 45),
        15,
        "Ouverture du guichet",
        NADIA,
        units=("Guichet",),
        wants_room=False,
    ),
    Rite(
        "crise",
        (0, 3),
        dt.time(14, 0),
        60,
        "Point de situation sécurité civile",
        ELODIE,
        units=("Sécurité civile",),
        people=(Guest(NADIA), TOWN_HALL),
    ),
    Rite(
        "exercice", (2,), dt.time(9, 0), 180, "Exercice ORSEC", ELODIE, units=("Sécurité civile",), place="COD, Quimper"
    ),
    Rite("mobilites", (0,), dt.time(9, 30), 60, "Réunion d’équipe Mobilités", ANNE, units=("Mobilités",)),
    Rite(
        "lignes",
        (3,),
        dt.time(10, 30),
        90,
        "Plan des lignes scolaires",
        ANNE,
        units=("Mobilités",),
        people=(TOWN_HALL,),
    ),
    Rite(
        "educatif", (1,), dt.time(9, 30), 60, "Réunion d’équipe Numérique éducatif", YANN, units=("Numérique éducatif",)
    ),
    Rite(
        "lycees",
        (4,),
        dt.time(10, 0),
        60,
        "Lycées pilotes : retour d’expérience",
        YANN,
        units=("Numérique éducatif",),
        people=(Guest(CLAIRE, answer="needs_action"), TEACHER),
    ),
)
