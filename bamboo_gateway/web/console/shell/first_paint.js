// Applies the chosen theme before anything is drawn, so that a dark page never begins with a white flash.
// A classic script, because modules wait for the document.
try {
  const theme = localStorage.getItem("bamboo.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is forbidden here: the system's theme it is.
}
