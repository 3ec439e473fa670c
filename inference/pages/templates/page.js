(() => {
  // The page's tables hold all there is to tell; this shows parts of them beside the text.
  const at = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const data = JSON.parse(at("data").textContent);
  const tables = { facts: all(".facts tbody tr"), said: all(".said tbody tr"), stances: all(".stances tbody tr") };
  const words = (list) => (list ? list.split(" ") : []);
  const sentences = all(".prose .s");
  const marks = all(".prose .m").map((element) => ({ element, parts: words(element.dataset.m).map((part) => part.split("-")), held: words(element.dataset.t).map(Number) }));
  const counts = all(".count[data-at]").map((element) => ({ element, place: element.dataset.at }));
  const bySource = at("by-source"), byTarget = at("by-target"), byShare = at("by-share");
  const panel = at("panel");
  const nobody = data.holders.length - 2; // the row of those without a name; the last one is the text itself
  let origin = null; // what the panel was opened from
  let found = []; // the sentences that the filters leave
  let current = -1; // the one of them that was gone to last

  const make = (name, text = "", style = "") => {
    const element = document.createElement(name);
    element.textContent = text;
    if (style) element.className = style;
    return element;
  };
  const copied = (cell) => [...cell.childNodes].map((node) => node.cloneNode(true));
  const heads = (row) => all("thead th", row.closest("table")).map((head) => head.textContent);
  const of = (rows, sentence) => rows.filter((row) => row.dataset.s === String(sentence));

  // The panel

  function listed(row) {
    const list = make("dl");
    const names = heads(row);
    [...row.cells].forEach((cell, i) => {
      if (!i || !cell.textContent.trim() || (row.parentNode.parentNode.className === "facts" && names[i] === "text")) return;
      const value = make("dd");
      value.dir = "auto";
      value.append(...copied(cell));
      list.append(make("dt", names[i]), value);
    });
    return list;
  }

  function stanceTable(rows) {
    const table = make("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    heads(rows[0]).slice(1).forEach((name) => { const cell = make("th", name); cell.scope = "col"; head.append(cell); });
    for (const row of rows) {
      const line = body.insertRow();
      [...row.cells].slice(1).forEach((cell) => {
        const copy = line.insertCell();
        copy.className = cell.className;
        copy.append(...copied(cell));
      });
      if (row.querySelector("small")) line.className = "unsure";
    }
    return table;
  }

  function show(sentence, attribution, from, takesFocus) {
    const said = of(tables.said, sentence), stances = of(tables.stances, sentence), told = at("told");
    at("h-panel").textContent = `Sentence ${sentence}`;
    told.replaceChildren();
    const quoted = make("blockquote", sentences[sentence].textContent);
    quoted.dir = "auto";
    told.append(quoted);
    of(tables.facts, sentence).forEach((row) => { const list = listed(row); list.className = "inline"; told.append(list); });
    told.append(make("h3", said.length ? "Who says it" : "No one is said to say this"));
    for (const row of said) {
      const list = listed(row);
      if (row.id === `w${attribution}`) list.className = "chosen";
      told.append(list);
    }
    told.append(make("h3", stances.length ? "Stances" : "No stance"));
    if (stances.length) told.append(stanceTable(stances));
    panel.hidden = false;
    panel.scrollTop = 0;
    at("live").textContent = `Sentence ${sentence}: ${said.length} attributions, ${stances.length} stances shown beside the text`;
    origin = from;
    light(sentence, attribution);
    if (takesFocus) at("h-panel").focus();
    sentences[sentence].scrollIntoView({ block: "nearest" }); // the panel may have come to lie over it
  }

  function light(sentence, attribution) {
    sentences.forEach((element, i) => element.classList.toggle("open", i === sentence));
    for (const { element, parts } of marks) {
      element.classList.toggle("on", attribution !== null && parts.some(([, number]) => number === String(attribution)));
    }
  }

  function close() {
    if (panel.hidden) return;
    const inside = panel.contains(document.activeElement);
    panel.hidden = true;
    light(-1, null);
    at("live").textContent = "";
    if (inside && origin) origin.focus();
  }

  function goTo(sentence, takesFocus = false) {
    const element = sentences[sentence];
    element.scrollIntoView({ block: "center" });
    element.querySelector(".no").focus({ preventScroll: true });
    show(sentence, null, element.querySelector(".no"), takesFocus);
  }

  // Filters

  const chosen = (select) => (select.value === "" ? null : Number(select.value));

  function filter() {
    const least = Number(byShare.value) / 100, source = chosen(bySource), target = chosen(byTarget);
    const isFiltered = source !== null || target !== null, hits = new Set(), left = {}, meant = new Set();
    at("share").textContent = `${byShare.value} %`;
    data.stances.forEach(([sentence, holder, on, label, share, unsure], i) => {
      const isSure = share >= least, place = `${holder} ${on} ${label}`;
      const isMeant = isSure && (source === null || holder === source) && (target === null || on === target);
      tables.stances[i].hidden = !isMeant;
      if (isMeant) meant.add(i);
      if (isMeant && !unsure) hits.add(sentence);
      if (isSure && !unsure) left[place] = (left[place] ?? 0) + 1;
    });
    data.attributions.forEach(([sentence, who, share], i) => {
      const isSaid = source === null || (who < 0 ? nobody : who) === source;
      if (share >= least && isSaid && target === null) hits.add(sentence);
      tables.said[i].hidden = share < least || !isSaid || (target !== null && !hits.has(sentence));
    });
    for (const { element, place } of counts) {
      element.hidden = !left[place];
      element.lastElementChild.textContent = left[place] ?? 0;
    }
    for (const { element, parts, held } of marks) {
      element.classList.toggle("side", held.some((i) => meant.has(i)));
      for (const role of ["source", "cue", "content"]) {
        element.classList.toggle(role, parts.some(([kind, number]) => kind === role && data.attributions[number][2] >= least));
      }
    }
    sentences.forEach((element, i) => {
      element.classList.toggle("faint", (data.sentences[i] ?? 1) < least);
      element.classList.toggle("hit", isFiltered && hits.has(i));
    });
    document.body.classList.toggle("filtered", isFiltered);
    found = isFiltered ? [...hits].sort((a, b) => a - b) : [];
    current = -1;
    report(isFiltered, source, target);
  }

  function report(isFiltered, source, target) {
    const status = at("status");
    status.replaceChildren();
    for (const id of ["before", "next"]) at(id).hidden = found.length < 2;
    at("reset").hidden = !isFiltered && byShare.value === "0";
    if (!isFiltered) return;
    status.append(`${found.length} of ${sentences.length} sentences`);
    const who = source === null ? null : data.holders[source], whom = target === null ? null : data.targets[target];
    for (const [word, name] of [[": ", who], [who === null ? " on " : " → ", whom]]) {
      if (name !== null) status.append(word, make("bdi", name));
    }
  }

  function choose(source, target) {
    bySource.value = source ?? "";
    byTarget.value = target ?? "";
    filter();
  }

  function step(by) {
    if (!found.length) return;
    current = (current + by + found.length) % found.length;
    goTo(found[current]);
  }

  // What is clicked, pressed and chosen

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a"), byKey = event.detail === 0;
    const mark = event.target.closest(".prose .m"), sentence = event.target.closest(".prose .s");
    if (sentence) {
      if (String(getSelection())) return; // a text that is being copied
      event.preventDefault();
      const number = mark && mark.dataset.m ? mark.dataset.m.split(" ").pop().split("-")[1] : null;
      show(number === null ? sentences.indexOf(sentence) : data.attributions[number][0], number, link ?? sentence.querySelector(".no"), byKey);
    } else if (link && link.dataset.at) {
      event.preventDefault();
      const [source, target, label] = link.dataset.at.split(" ").map(Number);
      choose(source, target);
      // Of several labels in a cell, the first sentence with the one that was clicked.
      const first = data.stances.find((row) => row[1] === source && row[2] === target && row[3] === label && !row[5]);
      current = found.indexOf(first[0]);
      goTo(first[0], byKey);
    } else if (link && link.dataset.holder) {
      event.preventDefault();
      choose(link.dataset.holder, null);
      if (found.length) { current = 0; goTo(found[0], byKey); }
    } else if (link && /^#s\d+$/.test(link.getAttribute("href"))) {
      event.preventDefault();
      goTo(Number(link.getAttribute("href").slice(2)), byKey);
    }
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  at("close").addEventListener("click", close);
  at("before").addEventListener("click", () => step(-1));
  at("next").addEventListener("click", () => step(1));
  at("reset").addEventListener("click", () => { byShare.value = "0"; choose(null, null); });
  for (const control of [bySource, byTarget]) control.addEventListener("change", filter);
  byShare.addEventListener("input", filter);
  for (const element of all("[hidden].filters")) element.hidden = false;
  filter(); // a page gone back to keeps what was chosen
})();
