(() => {
  // Tables and charts are there without this; it sorts, filters and searches, and shows the sentences behind a number.
  const at = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse(at("data").textContent);
  const TEXT_ITSELF = -1, OTHER_TARGETS = -1, PAGE = 30;
  const format = new Intl.NumberFormat("en");
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const wordsOf = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const percent = (share) => `${Math.round(100 * share)}\u00a0%`;
  const word = (label) => (label.name === "favor" ? "for" : label.name);
  const holderName = (position) => (position === TEXT_ITSELF ? "the text itself" : data.names[position]);

  const make = (name, text = "", style = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (style) element.className = style;
    return element;
  };
  const button = (text, name, action) => {
    const element = make("button", text);
    element.type = "button";
    if (name) element.setAttribute("aria-label", `${text}: ${name}`);
    element.addEventListener("click", action);
    return element;
  };
  const nameOf = (position) => (position === TEXT_ITSELF ? make("i", holderName(position)) : make("bdi", data.names[position]));

  // Files

  function save(name, type, content) {
    const link = make("a");
    link.href = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // A cell that a spreadsheet would take for a formula gets an apostrophe before it.
  const cellOf = (value) => {
    const text = String(value);
    const safe = /^[\s\u200b-\u200f\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫]|^[\t\r\n]/.test(text) && !/^[+-]?[\d.,]+$/.test(text) ? `'${text}` : text;
    return /[",;\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const saveCsv = (name, rows) => save(`${name}.csv`, "text/csv;charset=utf-8", `\ufeff${rows.map((row) => row.map(cellOf).join(",")).join("\r\n")}\r\n`);

  // Tables

  const valueOf = (cell) => cell.dataset.value ?? cell.dataset.text?.trim() ?? cell.textContent.trim();

  function enhance(table) {
    const body = table.tBodies[0], rows = [...body.rows], first = Number(table.dataset.first) || rows.length;
    const caption = table.caption.textContent;
    let isCut = rows.length > first;
    const cut = () => [...body.rows].forEach((row, i) => { row.hidden = isCut && i >= first; });
    for (const head of all("th[data-sort]", table)) {
      const sorter = make("button", "", "sort");
      sorter.type = "button";
      sorter.append(...head.childNodes);
      head.append(sorter);
      sorter.addEventListener("click", () => {
        const isNumber = head.classList.contains("n"), before = head.getAttribute("aria-sort");
        const isDown = before === null ? isNumber : before === "ascending";
        for (const other of all("th[aria-sort]", table)) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isDown ? "descending" : "ascending");
        const key = (row) => { const value = valueOf(row.cells[head.cellIndex]); return isNumber ? Number(value) || 0 : value; };
        const compare = isNumber ? (a, b) => a - b : (a, b) => a.localeCompare(b, "en");
        const keyed = rows.map((row) => [key(row), row]).sort((a, b) => (isDown ? compare(b[0], a[0]) : compare(a[0], b[0])));
        body.append(...keyed.map(([, row]) => row));
        cut();
      });
    }
    const tools = make("p", "", "tools");
    if (isCut) {
      const more = button(`Show all ${format.format(rows.length)} rows`, "", () => {
        isCut = !isCut;
        more.textContent = isCut ? `Show all ${format.format(rows.length)} rows` : `Show the first ${first} rows`;
        cut();
      });
      tools.append(more);
    }
    tools.append(button("Save as CSV", caption, () => {
      saveCsv(table.dataset.save, [...table.tHead.rows, ...body.rows].map((row) => [...row.cells].map((cell) => (row.parentNode === body ? valueOf(cell) : cell.textContent.trim()))));
    }));
    table.parentNode.after(tools);
    cut();
  }

  // Charts

  const KEPT = ["fill", "stroke", "stroke-width", "font-family", "font-size", "font-weight"];
  const SVG = "http://www.w3.org/2000/svg";
  const shape = (name, attributes) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  // The panels of a chart side by side in one picture, in light colours that need no style sheet.
  function picture(figure) {
    const root = document.documentElement, theme = root.dataset.theme;
    root.dataset.theme = "light";
    const panels = all(".panel", figure), columns = Math.min(3, panels.length), gap = 24, top = 40;
    const [, , width, height] = panels[0].getAttribute("viewBox").split(" ").map(Number);
    const size = { width: gap + columns * (width + gap), height: top + Math.ceil(panels.length / columns) * (height + gap) };
    const svg = shape("svg", { xmlns: SVG, ...size, viewBox: `0 0 ${size.width} ${size.height}` });
    svg.append(shape("rect", { ...size, fill: "#ffffff" }));
    const title = shape("text", { x: gap, y: 26, "font-family": "sans-serif", "font-size": 17, "font-weight": 600, fill: "#1b1d20" });
    title.textContent = figure.querySelector("figcaption").textContent;
    svg.append(title);
    panels.forEach((panel, i) => {
      const copy = panel.cloneNode(true), originals = all("*", panel);
      all("*", copy).forEach((element, j) => {
        const style = getComputedStyle(originals[j]);
        if (element.localName !== "title") for (const key of KEPT) element.setAttribute(key, style.getPropertyValue(key));
        element.removeAttribute("class");
      });
      for (const key of ["class", "role"]) copy.removeAttribute(key);
      const place = { x: gap + (i % columns) * (width + gap), y: top + Math.floor(i / columns) * (height + gap), width, height };
      for (const [key, value] of Object.entries(place)) copy.setAttribute(key, value);
      svg.append(copy);
    });
    if (theme) root.dataset.theme = theme; else delete root.dataset.theme;
    return { ...size, text: new XMLSerializer().serializeToString(svg) };
  }

  function savePng(name, { width, height, text }) {
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = make("canvas");
      canvas.width = 2 * width;
      canvas.height = 2 * height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(`${name}.png`, "image/png", blob));
    });
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  }

  for (const figure of all("figure.chart")) {
    const name = figure.dataset.save, caption = figure.querySelector("figcaption").textContent, tools = make("p", "", "tools");
    tools.append(
      button("Save as SVG", caption, () => save(`${name}.svg`, "image/svg+xml", picture(figure).text)),
      button("Save as PNG", caption, () => savePng(name, picture(figure))),
    );
    figure.querySelector(".panels").after(tools);
  }

  // Sentences, each with all that it tells

  const told = data.texts.map(() => ({ said: [], held: [] }));
  data.said.forEach((row) => told[row[0]].said.push(row));
  data.held.forEach((row) => told[row[0]].held.push(row));

  function place(text, words) {
    const [article, sentence] = data.texts[text], [title, id, , outlet, date, link] = data.articles[article];
    const element = make("p", "", "place");
    if (link) {
      const anchor = make("a");
      anchor.href = /^https?:/.test(link) ? link : `${link}#s${sentence}`;
      anchor.append(mark(make("bdi"), title, words));
      element.append(anchor);
    } else {
      element.append(mark(make("bdi"), title, words));
    }
    for (const part of [outlet, date]) if (part) element.append(", ", make("bdi", part));
    const isHeadline = sentence === 0 && wordsOf(data.texts[text][2]).join(" ") === wordsOf(title).join(" ");
    element.append(isHeadline ? ", headline" : `, sentence ${sentence + 1}`);
    return element;
  }

  // Write a text into an element, with the beginnings of its words marked that the search found.
  function mark(element, text, words) {
    const folded = fold(text);
    let position = 0;
    // Only where folding keeps every character in its place.
    if (words.length && folded.length === text.length) {
      for (const { 0: match, index } of folded.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])(?:${words.join("|")})`, "gu"))) {
        element.append(text.slice(position, index), make("mark", text.slice(index, index + match.length)));
        position = index + match.length;
      }
    }
    element.append(text.slice(position));
    return element;
  }

  function quoted(text, words) {
    const quote = make("blockquote");
    quote.dir = "auto";
    quote.lang = "";
    return mark(quote, text, words);
  }

  function stanceLine([, holder, target, number, probability]) {
    const label = data.labels[number], line = make("p"), side = make("span", "", `label ${label.style}`);
    side.append(make("b", label.symbol), ` ${word(label)} `);
    line.append(nameOf(holder), " is ", side, nameOf(target), `, ${percent(probability)} sure`);
    return line;
  }

  function statementLine([, source, probability, content]) {
    const line = make("p");
    line.append("Statement of ", source === TEXT_ITSELF ? make("i", "somebody without a name") : nameOf(source), `, ${percent(probability)} sure`);
    if (probability < data.unsure) line.append(make("b", " (the model is unsure here)"));
    if (content) line.append(": ", make("q", content));
    return line;
  }

  function sentenceItem(text, said, held, words = []) {
    const item = make("li");
    const unlike = said.filter((row, i) => said.findIndex((it) => it[1] === row[1] && it[3] === row[3]) === i);
    item.append(quoted(data.texts[text][2], words), ...held.map(stanceLine), ...unlike.map(statementLine), place(text, words));
    return item;
  }

  const HEADS = ["article", "id", "outlet", "date", "sentence (from 1)", "kind", "source", "target", "confidence", "text"];
  const csvOf = (entries) => [HEADS, ...entries.flatMap(({ text, said, held }) => {
    const [article, sentence, words] = data.texts[text], [title, id, , outlet, date] = data.articles[article];
    const common = [title, id, outlet, date, sentence + 1];
    return [
      ...held.map((row) => [...common, word(data.labels[row[3]]), holderName(row[1]), data.names[row[2]], row[4], words]),
      ...said.map((row) => [...common, "statement", row[1] === TEXT_ITSELF ? "" : data.names[row[1]], "", row[2], row[3] || words]),
    ];
  })];

  // The dialog

  let opened = [];
  const dialog = at("dialog");

  function open(title, entries, count) {
    opened = entries;
    at("h-dialog").replaceChildren(...title);
    const shown = entries.reduce((sum, entry) => sum + entry.said.length + entry.held.length, 0);
    let note = shown === 1 ? "1 sentence." : `${format.format(shown)} sentences, most confident first.`;
    if (!shown) note = `None of the ${format.format(count)} sentences is in this page, which has no room for all.`;
    else if (count > shown) note = `${format.format(shown)} of ${format.format(count)} sentences are in this page, most confident first.`;
    at("d-note").textContent = note;
    at("d-list").replaceChildren(...entries.map(({ text, said, held }) => sentenceItem(text, said, held)));
    dialog.showModal();
    dialog.scrollTop = 0;
  }

  function openStances(holder, target, number, count, outlet = null) {
    const isMeant = (row) => (holder === "*" || row[1] === Number(holder)) && row[2] === target && row[3] === number
      && (outlet === null || data.articles[data.texts[row[0]][0]][2] === outlet);
    const rows = data.held.filter(isMeant).sort((a, b) => b[4] - a[4]);
    const label = data.labels[number];
    const who = holder === "*" ? make("span", "All sources") : nameOf(Number(holder));
    open([who, ` ${label.symbol} ${word(label)} `, nameOf(target)], rows.map((row) => ({ text: row[0], said: [], held: [row] })), count);
  }

  function openStatements(source, count, outlet = null) {
    const isMeant = (row) => row[1] === source && (outlet === null || data.articles[data.texts[row[0]][0]][2] === outlet);
    const rows = data.said.filter(isMeant).sort((a, b) => b[2] - a[2]);
    const where = outlet === null ? [] : [" in ", make("bdi", data.outlets[outlet])];
    open(["Statements of ", nameOf(source), ...where], rows.map((row) => ({ text: row[0], said: [row], held: [] })), count);
  }

  at("d-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  at("d-save").addEventListener("click", () => saveCsv("sentences", csvOf(opened)));

  function stanceButton(holder, target, number, count, outlet = null) {
    const label = data.labels[number];
    const element = make("button", label.symbol, `count ${label.style}`);
    element.type = "button";
    element.append(make("span", format.format(count)));
    element.setAttribute("aria-label", `${label.symbol}${format.format(count)}: ${holder === "*" ? "all sources" : holderName(Number(holder))} ${word(label)} ${data.names[target]}`);
    element.addEventListener("click", () => openStances(holder, target, number, count, outlet));
    return element;
  }

  for (const element of all("[data-held]")) {
    const [holder, target, number] = element.dataset.held.split(" ");
    const count = Number(element.closest("td").dataset.value);
    element.replaceWith(stanceButton(holder, Number(target), Number(number), count));
  }
  function opener(element, name, action) {
    const it = make("button", element.textContent, "said");
    it.type = "button";
    it.setAttribute("aria-label", `${element.textContent} ${name}`);
    it.addEventListener("click", action);
    element.replaceWith(it);
  }

  for (const element of all("[data-said]")) {
    const [source, outlet = null] = element.dataset.said.split(" ").map(Number);
    const count = Number(element.closest("td").dataset.value), where = outlet === null ? "" : ` in ${data.outlets[outlet]}`;
    opener(element, `statements of ${data.names[source]}${where}`, () => openStatements(source, count, outlet));
  }

  // The table of sources, with those that an outlet quotes most first.
  function showSourcesOf(outlet) {
    const heads = all("table[data-save=sources] th[data-sort]"), head = heads[heads.length - data.outlets.length + outlet];
    const sorter = head.querySelector("button");
    while (head.getAttribute("aria-sort") !== "descending") sorter.click();
    sorter.focus({ preventScroll: true });
    at("sources").scrollIntoView();
  }

  for (const element of all("[data-outlet]")) {
    const outlet = Number(element.dataset.outlet);
    opener(element, `statements with a named source in ${data.outlets[outlet]}: its sources`, () => showSourcesOf(outlet));
  }

  // The matrix

  const folded = data.names.map(fold);
  const foldedHolder = (position) => (position === TEXT_ITSELF ? "the text itself" : folded[position]);
  const chosenOutlet = (id) => { const value = at(id)?.value ?? ""; return value === "" ? null : Number(value); };
  const rowsShown = 30, columnsShown = 16;
  let sortedBy = null; // the target whose column orders the rows

  function countCells() {
    const outlet = chosenOutlet("m-outlet"), who = fold(at("m-who").value.trim()), whom = fold(at("m-whom").value.trim());
    const counts = new Map(), holders = new Map(), targets = new Map();
    for (const [holder, target, of, number, count] of data.cells) {
      if ((outlet !== null && of !== outlet) || !foldedHolder(holder).includes(who)) continue;
      if (target === OTHER_TARGETS ? whom : !folded[target].includes(whom)) continue;
      if (!holders.has(holder)) holders.set(holder, data.labels.map(() => 0));
      holders.get(holder)[number] += count;
      if (target === OTHER_TARGETS) continue;
      if (!counts.has(holder)) counts.set(holder, new Map());
      const row = counts.get(holder);
      if (!row.has(target)) row.set(target, data.labels.map(() => 0));
      row.get(target)[number] += count;
      targets.set(target, (targets.get(target) ?? 0) + count);
    }
    return { counts, holders, targets, outlet, isAll: outlet === null && !who && !whom };
  }

  // The holders and targets of the pairs with the most stances, as far as there is room; report_matrix.py does the same.
  function withRoom(counts, weigh) {
    const pairs = [...counts].flatMap(([holder, row]) => [...row].map(([target, numbers]) => [holder, target, weigh(numbers)]));
    pairs.sort((a, b) => (a[0] === TEXT_ITSELF) - (b[0] === TEXT_ITSELF) || b[2] - a[2]);
    const rows = new Set(), columns = new Set();
    for (const [holder, target] of pairs) {
      if ((rows.has(holder) || rows.size < rowsShown) && (columns.has(target) || columns.size < columnsShown)) {
        rows.add(holder);
        columns.add(target);
      }
    }
    return [[...counts.keys()].filter((holder) => rows.has(holder)), [...columns]];
  }

  function showMatrix() {
    const { counts, holders, targets, outlet, isAll } = countCells(), order = at("m-sort").value;
    const sum = (list) => (list ?? []).reduce((a, b) => a + b, 0);
    const weigh = (numbers) => (order === "all" || order === "name" ? sum(numbers) : numbers[Number(order)]);
    const weight = (holder) => weigh(holders.get(holder));
    let [rows, columns] = withRoom(counts, weigh);
    columns.sort((a, b) => targets.get(b) - targets.get(a));
    if (!columns.includes(sortedBy)) sortedBy = null;
    else rows = [...counts.keys()].filter((holder) => columns.some((target) => counts.get(holder).has(target)));
    if (sortedBy !== null) rows.sort((a, b) => sum(counts.get(b).get(sortedBy)) - sum(counts.get(a).get(sortedBy)));
    else if (order === "name") rows.sort((a, b) => holderName(a).localeCompare(holderName(b), "en"));
    else rows.sort((a, b) => weight(b) - weight(a));
    const table = at("matrix"), head = table.tHead.rows[0];
    head.replaceChildren(head.cells[0], head.cells[1], ...columns.map((target) => {
      const cell = make("th", "", "up"), sorter = make("button", "", "sort"), turned = make("span");
      cell.scope = "col";
      sorter.type = "button";
      turned.append(nameOf(target));
      sorter.append(turned);
      if (target === sortedBy) cell.setAttribute("aria-sort", "descending");
      sorter.addEventListener("click", () => {
        sortedBy = sortedBy === target ? null : target;
        showMatrix();
        [...head.cells].find((it) => it.dataset.target === String(target))?.firstChild.focus();
      });
      cell.dataset.target = target;
      cell.append(sorter);
      return cell;
    }));
    table.tBodies[0].replaceChildren(...rows.slice(0, rowsShown).map((holder) => {
      const line = make("tr"), name = make("th"), total = make("td", "", "total");
      name.scope = "row";
      name.append(nameOf(holder));
      holders.get(holder).forEach((count, number) => { if (count) total.append(make("span", `${data.labels[number].symbol}${format.format(count)}`, data.labels[number].style), " "); });
      line.append(name, total, ...columns.map((target) => {
        const cell = make("td");
        (counts.get(holder).get(target) ?? []).forEach((count, number) => { if (count) cell.append(stanceButton(holder, target, number, count, outlet)); });
        return cell;
      }));
      return line;
    }));
    const [sources, aims] = isAll ? data.in_all : [holders.size, targets.size];
    at("m-status").textContent = `${Math.min(rowsShown, rows.length)} of ${format.format(sources)} sources and ${columns.length} of ${format.format(aims)} targets shown`;
  }

  function matrixCsv() {
    const { counts } = countCells();
    const rows = [...counts].flatMap(([holder, row]) => [...row].map(([target, numbers]) => [holderName(holder), data.names[target], ...numbers]));
    saveCsv("matrix", [["source", "target", ...data.labels.map(word)], ...rows]);
  }

  if (at("matrix")) {
    for (const id of ["m-who", "m-whom"]) at(id).addEventListener("input", showMatrix);
    for (const id of ["m-outlet", "m-sort"]) at(id)?.addEventListener("change", () => { sortedBy = null; showMatrix(); });
    const tools = make("p", "", "tools");
    tools.append(button("Save as CSV", "matrix of sources and targets", matrixCsv));
    at("matrix").parentNode.after(tools);
    showMatrix();
  }

  // Search

  const haystacks = told.map(({ said, held }, i) => ` ${wordsOf([
    data.texts[i][2], data.articles[data.texts[i][0]][0],
    ...said.flatMap((row) => [row[1] < 0 ? "" : data.names[row[1]], row[3]]), ...held.flatMap((row) => [holderName(row[1]), data.names[row[2]]]),
  ].join(" ")).join(" ")}`);
  let found = [], shown = 0;

  function search() {
    const words = wordsOf(at("q").value), outlet = chosenOutlet("q-outlet"), kind = at("q-kind").value;
    found = [];
    haystacks.forEach((haystack, text) => {
      const entry = { text, said: kind === "held" ? [] : told[text].said, held: kind === "said" ? [] : told[text].held };
      if (!entry.said.length && !entry.held.length) return;
      if (outlet !== null && data.articles[data.texts[text][0]][2] !== outlet) return;
      if (words.every((it) => haystack.includes(` ${it}`))) found.push(entry);
    });
    shown = 0;
    at("found").replaceChildren();
    at("q-status").textContent = found.length === 1 ? "1 sentence" : `${format.format(found.length)} sentences`;
    at("q-save").hidden = !found.length;
    if (words.length) showMore(); else at("q-more").hidden = true;
  }

  function showMore() {
    const words = wordsOf(at("q").value);
    at("found").append(...found.slice(shown, shown + PAGE).map(({ text, said, held }) => sentenceItem(text, said, held, words)));
    shown = Math.min(shown + PAGE, found.length);
    at("q-more").hidden = shown >= found.length;
  }

  let waiting = 0;
  at("q").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150); });
  for (const id of ["q-outlet", "q-kind"]) at(id)?.addEventListener("change", search);
  at("q-more").addEventListener("click", showMore);
  at("q-save").addEventListener("click", () => saveCsv("search", csvOf(found)));
  for (const form of all("form.filters")) form.addEventListener("submit", (event) => event.preventDefault());

  all("table[data-save]").forEach(enhance);
  for (const element of all(".scripted")) element.hidden = false;
  search();
})();
