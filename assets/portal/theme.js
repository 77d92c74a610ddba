// Blocking and tiny, so that the first paint already has the right colours: "system" is known only here.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const choice = root.dataset.psTheme;
    root.dataset.frTheme = choice === "dark" || (choice === "system" && dark.matches) ? "dark" : "light";
  };
  apply();
  dark.addEventListener("change", apply);
  document.addEventListener("change", (event) => {
    if (event.target.name !== "theme" || !event.target.closest("[data-ps-theme-form]")) return;
    root.dataset.psTheme = event.target.value;
    apply();
  });
})();
