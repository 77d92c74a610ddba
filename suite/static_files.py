"""How static files are named in production: every one by its content, the modules that our scripts import too."""

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

# One import of a module beside us, as every one of our scripts writes it: a statement of its own, at the start of a line.
_IMPORT = (
    r"""(?m)(?P<matched>^import\s+(?P<names>[^"';]+?)\s+from\s+["'](?P<url>\.{1,2}/[^"']+)["'];)""",
    'import %(names)s from "%(url)s";',
)
# Only where our own scripts are: other people's hold strings that look like imports.
_OURS = ("live/*.js", "portal/*.js", "visio/*.js")


class PortalStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise has no types
    """Hashed and compressed. A hashed name may be kept by browsers for ever, so what such a script imports must be hashed
    as well: otherwise an old script meets new modules, or one page loads the same module under two names.
    """

    patterns = (*ManifestStaticFilesStorage.patterns, *((where, (_IMPORT,)) for where in _OURS))
