// The identity provider that stands in for ProConnect on one machine: code flow with PKCE S256, signed userinfo,
// RP-initiated logout, and a page to choose the agent. Its keys stay in IDP_FOLDER, so that a restart keeps the
// id_token_hint of open sessions valid.

import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Provider from 'oidc-provider';
import { choicePage, errorPage, signedOutPage, signOutPage } from './page.mjs';

const { IDP_PORT, IDP_FOLDER, IDP_PEOPLE, IDP_PORTAL_URL, IDP_ANY_LOOPBACK_PORT, IDP_CLIENT_ID, IDP_CLIENT_SECRET } = process.env;
const issuer = `http://localhost:${IDP_PORT}`;
const demo = JSON.parse(readFileSync(IDP_PEOPLE, 'utf8'));
const unknownOrganisation = '99999999900019';
const people = [...demo.people, {
  sub: 'demo-organisation-inconnue',
  given_name: 'Camille',
  usual_name: 'Dehors',
  email: 'camille.dehors@ailleurs.example',
  siret: unknownOrganisation,
  organizational_unit: 'Le portail refusera cette personne',
  job_title: 'Son organisation n’est pas inscrite au portail',
}];
const organisations = new Map(demo.organisations.map(({ siret, name }) => [siret, name]));
organisations.set(unknownOrganisation, 'Organisation inconnue du portail');
const personBySub = new Map(people.map((person) => [person.sub, person]));
const claimNames = ['given_name', 'usual_name', 'email', 'siret', 'organizational_unit'];

function signingKeys() {
  const file = join(IDP_FOLDER, 'idp-keys.json');
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: `local-${Date.now()}` };
    writeFileSync(file, JSON.stringify({ keys: [key] }), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

function html(ctx, status, body) {
  ctx.status = status;
  ctx.type = 'html';
  ctx.body = body;
}

function goBack(ctx) {
  const { post_logout_redirect_uri: wanted, state } = ctx.oidc.params;
  const back = new URL(wanted ?? `${issuer}/session/end/success`);
  if (wanted && state !== undefined) {
    back.searchParams.set('state', state);
  }
  ctx.status = 303;
  ctx.redirect(back.href);
}

async function signOut(ctx, form) {
  const { session, entities, provider } = ctx.oidc;
  if (entities.IdTokenHint?.payload.sub !== session.accountId) {
    html(ctx, 200, signOutPage({ form }));
    return;
  }
  // The hint proves that the portal asks for the person who is signed in here: no need to ask again.
  for (const clientId of Object.keys(session.authorizations ?? {})) {
    const grant = await provider.Grant.find(session.grantIdFor(clientId));
    await grant?.destroy();
  }
  await session.destroy();
  ctx.cookies.set(provider.cookieName('session'), null);
  goBack(ctx);
}

const provider = new Provider(issuer, {
  clients: [{
    client_id: IDP_CLIENT_ID,
    client_secret: IDP_CLIENT_SECRET,
    redirect_uris: [`${IDP_PORTAL_URL}/oidc/callback/`],
    post_logout_redirect_uris: [`${IDP_PORTAL_URL}/`],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
    id_token_signed_response_alg: 'RS256',
    userinfo_signed_response_alg: 'RS256',
  }],
  jwks: signingKeys(),
  // Cookies ignore ports: the name keeps two copies on one machine apart.
  cookies: {
    keys: [IDP_CLIENT_SECRET],
    names: { session: `idp_session_${IDP_PORT}`, interaction: `idp_interaction_${IDP_PORT}`, resume: `idp_resume_${IDP_PORT}` },
  },
  scopes: ['openid', ...claimNames],
  claims: {
    openid: ['sub', 'acr_values'], acr: null, auth_time: null, ...Object.fromEntries(claimNames.map((name) => [name, [name]])),
  },
  acrValues: ['eidas1', 'eidas2', 'eidas3'],
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: true },
    jwtUserinfo: { enabled: true },
    claimsParameter: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: signOut,
      postLogoutSuccessSource: (ctx) => html(ctx, 200, signedOutPage()),
    },
  },
  routes: { authorization: '/authorize', token: '/token', userinfo: '/userinfo', jwks: '/jwks', end_session: '/session/end' },
  ttl: { AccessToken: 600, AuthorizationCode: 60, IdToken: 12 * 3600, Interaction: 3600, Session: 12 * 3600, Grant: 12 * 3600 },
  interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
  renderError: (ctx, { error, error_description: description }) => html(ctx, ctx.status, errorPage({ error, description })),
  findAccount(ctx, sub) {
    const person = personBySub.get(sub);
    return person && {
      accountId: sub,
      claims: () => ({ sub, acr_values: 'eidas1', ...Object.fromEntries(claimNames.map((name) => [name, person[name]])) }),
    };
  },
  // The person is not asked to consent: ProConnect does not ask either.
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const kept = session.grantIdFor(client.clientId);
    if (kept) {
      return provider.Grant.find(kept);
    }
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope(['openid', ...claimNames].join(' '));
    grant.addOIDCClaims(['acr', 'acr_values', ...claimNames]);
    await grant.save();
    return grant;
  },
});

// Nobody is signed in here (any more): go back at once, where the library would render a page with an inline script.
provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route === 'end_session' && ctx.status === 200 && !ctx.oidc.session.accountId) {
    goBack(ctx);
  }
});

if (IDP_ANY_LOOPBACK_PORT) {
  const loopback = (path) => new RegExp(`^http://(localhost|127\\.0\\.0\\.1):\\d+${path}$`);
  provider.Client.prototype.redirectUriAllowed = (uri) => loopback('/oidc/callback/').test(uri);
  provider.Client.prototype.postLogoutRedirectUriAllowed = (uri) => loopback('/').test(uri);
}

const portals = IDP_ANY_LOOPBACK_PORT ? 'http://localhost:* http://127.0.0.1:*' : new URL(IDP_PORTAL_URL).origin;
const policy = `default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${portals}`;
const statics = new Map([['/static/style.css', 'text/css'], ['/static/page.js', 'text/javascript']].map(([path, kind]) => [
  path, { kind, body: readFileSync(new URL(`.${path}`, import.meta.url)) },
]));

async function readForm(request) {
  const chunks = [];
  for await (const chunk of request) {
    chunks.push(chunk);
    if (chunks.length > 100) break;
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

function answer(response, status, kind, body) {
  response.writeHead(status, { 'Content-Type': kind, 'Cache-Control': 'no-store' }).end(body);
}

async function interaction(request, response, url) {
  let uid;
  try {
    ({ uid } = await provider.interactionDetails(request, response));
  } catch (error) {
    answer(response, 400, 'text/html; charset=utf-8', errorPage({ error: error.error ?? error.name, description: error.error_description }));
    return;
  }
  if (request.method === 'POST') {
    const sub = (await readForm(request)).get('sub');
    if (personBySub.has(sub)) {
      await provider.interactionFinished(request, response, { login: { accountId: sub, acr: 'eidas1', amr: ['pwd'] } });
      return;
    }
  }
  const filter = url.searchParams.get('filter') ?? '';
  const organisationOf = ({ siret }) => organisations.get(siret) ?? siret;
  answer(response, 200, 'text/html; charset=utf-8', choicePage({ uid, people, organisationOf, filter }));
}

const handle = provider.callback();
const server = createServer((request, response) => {
  const url = new URL(request.url, issuer);
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const file = statics.get(url.pathname);
  if (file) {
    answer(response, 200, file.kind, file.body);
  } else if (url.pathname.startsWith('/interaction/')) {
    interaction(request, response, url).catch((error) => {
      console.error(error);
      answer(response, 500, 'text/html; charset=utf-8', errorPage({ error: 'server_error' }));
    });
  } else {
    handle(request, response);
  }
});
provider.on('server_error', (ctx, error) => console.error(error));
server.listen(Number(IDP_PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
