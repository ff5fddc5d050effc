// Back and Forward lead through what was open beside the grid: Python is told what the address says now, and follows.

addEventListener("popstate", () => emitEvent("address", { query: location.search }));
