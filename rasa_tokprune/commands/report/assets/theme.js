"use strict";
// The theme follows the system until the reader picks one.
(() => {
  const THEMES = ["automatic", "light", "dark"];
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const stored = () => {
    try { return localStorage.getItem("rasa-tokprune-theme"); } catch { return null; }
  };
  let chosen = THEMES.includes(stored()) ? stored() : "automatic";
  const show = () => {
    if (chosen === "automatic") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", chosen);
    button.textContent = `Theme: ${chosen}`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    try { localStorage.setItem("rasa-tokprune-theme", chosen); } catch { /* a file may have none */ }
    show();
  });
  show();
})();
