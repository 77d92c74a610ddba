"""axe-core on a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page


def serious_faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical: "rule: first elements"; [] is what every page owes."""
    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {[node['html'][:160] for node in fault['nodes'][:3]]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
