// Runs before the page is drawn, so that a remembered theme never flashes.
try { const t = localStorage.getItem("theme"); if (t) document.documentElement.dataset.theme = t; } catch { /* storage is off */ }
