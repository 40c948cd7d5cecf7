// Arrow keys move inside a matrix, which is then one stop of the tab key instead of 49. Without scripts each cell is one.
for (const table of document.querySelectorAll(".confusion table")) {
  const rows = [...table.tBodies[0].rows].map(row => [...row.querySelectorAll("td")]);
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  rows.flat().forEach(cell => { cell.tabIndex = -1; });
  rows[0][0].tabIndex = 0;
  table.addEventListener("keydown", event => {
    const row = rows.findIndex(cells => cells.includes(event.target));
    const step = steps[event.key];
    if (row < 0 || !step) return;
    event.preventDefault();
    const next = rows[row + step[0]]?.[rows[row].indexOf(event.target) + step[1]];
    if (!next) return;
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
}
