// Runs before the first paint, so that a chosen theme or language does not flash. A file of its own: the policy forbids inline scripts.
(() => {
  try {
    const theme = localStorage.getItem('ql.theme');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
    if (localStorage.getItem('ql.language') === 'en') document.documentElement.lang = 'en';
  } catch {
    // Storage may be forbidden: then the system's preference decides.
  }
})();
