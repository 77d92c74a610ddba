import { proposedHours } from "./proposing.js";

// The invitation's page works without this: it only puts the reader where the news is.
(document.querySelector("[data-focus-here]") ?? document.querySelector(".fr-error-text"))?.scrollIntoView({ block: "center" });
document.querySelector("[data-focus-here]")?.focus();

proposedHours();
