/**
 * The matrix as one page that needs nothing beside itself: it opens from a file, works by keyboard, follows the reader's
 * light or dark, and asks no network. Style and script are written by hand; the data is the document of
 * matrix/document.ts.
 */
import type { MatrixDocument } from '../matrix/document.ts';

export function matrixPage(data: MatrixDocument): string {
  // Nothing in the data may end the script element.
  const json = JSON.stringify(data).replaceAll('<', String.raw`\u003c`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Papyrus: which guest works where</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Which guest works with virtio on pseries, under which policy</h1>
<p id="about"></p>
<form id="controls" aria-label="What to show"></form>
<p id="summary" role="status" aria-live="polite"></p>
<ul id="legend" aria-label="Legend"></ul>
</header>
<main>
<div id="scroll"><table id="grid" role="grid" aria-label="Guests by machine version"></table></div>
<aside id="details" aria-label="The chosen cell" tabindex="-1"><p>Choose a cell: arrow keys move, Enter opens, Escape comes back.</p></aside>
</main>
<script id="data" type="application/json">${json}</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

const STYLE = `
:root {
  color-scheme: light dark;
  --back: light-dark(#fbfaf7, #16181c); --panel: light-dark(#ffffff, #1f2228);
  --ink: light-dark(#1d2126, #e6e4df); --soft: light-dark(#5b626b, #a2a7ae); --line: light-dark(#d9d6ce, #363b43);
  --works: light-dark(#cfe9d3, #1f4a2b); --stuck: light-dark(#f6c9c4, #6b2320); --declined: light-dark(#f9d9ae, #6a4712);
  --absent: light-dark(#f7e9a8, #5d5212); --vetoed: light-dark(#e0d2f0, #44306a); --refused: light-dark(#dfe1e5, #3a3f47);
  --aborts: light-dark(#b3261e, #ff8a80); --mark: light-dark(#1d4ed8, #8ab4ff);
}
:root[data-theme=light] { color-scheme: light; } :root[data-theme=dark] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--ink); font: 14px/1.45 system-ui, sans-serif; }
header, main { padding: 0 1.25rem; }
h1 { font-size: 1.3rem; margin: 1rem 0 .2rem; } h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
#about { color: var(--soft); margin: 0 0 .7rem; max-width: 75rem; }
form { display: flex; flex-wrap: wrap; gap: .5rem .9rem; align-items: end; }
label { display: flex; flex-direction: column; font-size: .78rem; color: var(--soft); gap: .15rem; }
label.check { flex-direction: row; align-items: center; padding-bottom: .35rem; }
select, input, button { font: inherit; color: var(--ink); background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: .25rem .4rem; max-width: 24rem; }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 1px; }
#summary { margin: .7rem 0 .3rem; font-weight: 600; }
#legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem .9rem; padding: 0; margin: 0 0 .6rem; color: var(--soft); }
#legend span { display: inline-block; width: 1.5rem; text-align: center; border-radius: 3px; margin-right: .3rem; color: var(--ink); }
main { display: grid; grid-template-columns: minmax(0, 1fr) 25rem; gap: 1.25rem; align-items: start; padding-bottom: 2rem; }
@media (max-width: 65rem) { main { grid-template-columns: minmax(0, 1fr); } }
#scroll { overflow: auto; max-height: 78vh; border: 1px solid var(--line); border-radius: 6px; background: var(--panel); }
table { border-collapse: separate; border-spacing: 1px; }
th { font-weight: 500; text-align: left; white-space: nowrap; padding: .12rem .5rem; background: var(--panel); }
thead th { position: sticky; top: 0; z-index: 2; font-size: .75rem; padding: .3rem .15rem; text-align: center; color: var(--soft); }
tbody th { position: sticky; left: 0; z-index: 1; } thead th:first-child { left: 0; z-index: 3; text-align: left; }
td { padding: 0; min-width: 2.1rem; }
td button { width: 100%; height: 1.55rem; border: 0; border-radius: 2px; padding: 0; cursor: pointer; font-size: .8rem; }
.works { background: var(--works); } .stuck { background: var(--stuck); } .declined { background: var(--declined); }
.absent { background: var(--absent); } .vetoed { background: var(--vetoed); } .refused { background: var(--refused); }
.not-offered { background: transparent; color: var(--soft); } .aborts { background: var(--aborts); color: light-dark(#fff, #16181c); }
.Recommended { background: var(--works); } .Supported { background: var(--absent); } .Unsupported { background: var(--stuck); }
.same { opacity: .28; } .lost { outline: 2px solid light-dark(#b3261e, #ff8a80); outline-offset: -2px; }
.won { outline: 2px solid light-dark(#1b7f3b, #6ee7a0); outline-offset: -2px; }
td button[aria-current=true] { box-shadow: inset 0 0 0 2px var(--mark); }
#details { border: 1px solid var(--line); border-radius: 6px; background: var(--panel); padding: .9rem 1rem; position: sticky; top: 1rem; max-height: 92vh; overflow: auto; }
#details dl { margin: 0; } #details dt { color: var(--soft); font-size: .78rem; margin-top: .55rem; } #details dd { margin: 0; overflow-wrap: anywhere; }
code { font: .82rem/1.4 ui-monospace, monospace; background: light-dark(#f1efe8, #2a2e35); padding: .05rem .25rem; border-radius: 3px; }
`;

const SCRIPT = String.raw`
'use strict';
const data = JSON.parse(document.getElementById('data').textContent);
const LETTER = { works: '✓', stuck: '✗', declined: 'D', absent: '–', vetoed: 'V', refused: 'R', aborts: '!', 'not-offered': '·',
  Recommended: '✓', Supported: 'S', Unsupported: '✗' };
const MEANING = { works: 'works', stuck: 'bound, but its data is never right', declined: 'FEATURES_OK refused, and the guest says so',
  absent: 'not seen, and nothing is said', vetoed: 'not let into secure mode', refused: 'QEMU refuses the device',
  aborts: 'QEMU dies', 'not-offered': 'the policy does not offer it',
  Recommended: 'works with the defaults', Supported: 'works with settings', Unsupported: 'no settings help' };
const byId = (id) => document.getElementById(id);
const el = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'class') made.className = value; else if (value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children);
  return made;
};
const state = { policy: 0, against: -1, device: 0, slot: '', capability: false, setting: 0, secure: false, view: 'outcome', guest: '', machine: '', only: false };

function select(name, label, options, note) {
  const made = el('select', { name, id: name });
  for (const [value, text] of options) made.append(el('option', { value }, text));
  made.addEventListener('change', () => { state[name] = /^-?\d+$/.test(made.value) ? Number(made.value) : made.value; draw(); });
  return el('label', note ? { title: note } : {}, label, made);
}
function text(name, label, placeholder) {
  const made = el('input', { name, id: name, type: 'search', placeholder });
  made.addEventListener('input', () => { state[name] = made.value; draw(); });
  return el('label', {}, label, made);
}
function check(name, label) {
  const made = el('input', { type: 'checkbox', name, id: name });
  made.addEventListener('change', () => { state[name] = made.checked; draw(); });
  return el('label', { class: 'check' }, made, ' ' + label);
}

function controls() {
  const policies = data.policies.map((policy, index) => [index, policy.name]);
  byId('controls').append(
    select('policy', 'Policy', policies),
    select('against', 'Compare with', [[-1, '(nothing)'], ...policies]),
    select('view', 'Show', [['outcome', 'what happens'], ['tier', 'support tier']]),
    select('device', 'Device', data.devices.map((name, index) => [index, name])),
    select('slot', 'Slot', []),
    select('setting', '-device properties', data.settings.map((words, index) => [index, words || '(defaults)'])),
    check('capability', 'secure-guest option on'),
    check('secure', 'guest asks to become secure'),
    text('guest', 'Guests', 'rhel, slof, 4.7 …'),
    text('machine', 'Machines', '4.2, 5.0 …'),
    check('only', 'only what differs'),
    el('button', { type: 'button', id: 'theme' }, 'Light or dark'),
  );
  byId('theme').addEventListener('click', () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
  });
  byId('controls').addEventListener('submit', (event) => event.preventDefault());
}

function fillSlots() {
  const slots = data.policies[state.policy].slots.filter((slot) => data.places.some((p) => p.policy === state.policy && p.slot === slot));
  const made = byId('slot');
  made.replaceChildren(...slots.map((slot) => el('option', { value: slot }, slot)));
  if (!slots.includes(state.slot)) state.slot = slots[0];
  made.value = state.slot;
  const capable = data.policies[state.policy].capability !== null;
  byId('capability').disabled = !capable && (state.against < 0 || data.policies[state.against].capability === null);
}

function placeOf(policy) {
  const has = (slot, capability) => data.places.find((p) => p.policy === policy && p.device === state.device && p.slot === slot && p.capability === capability);
  return has(state.slot, state.capability) || has(state.slot, false) || has('host-bridge', state.capability) || has('host-bridge', false);
}
/** Where the tier of each guest stands in its row: secure ones take two places. */
const tierAt = (() => { let at = 0; return data.guests.map((guest) => { const here = at; at += guest.secure ? 2 : 1; return here; }); })();

function cellOf(policy, version, guest) {
  const secure = state.secure && data.guests[guest].secure;
  if (state.view === 'tier') {
    const tier = data.tiers[data.tiersByPolicy[policy][version][tierAt[guest] + (secure ? 1 : 0)]];
    return { word: tier.tier, tier };
  }
  const place = placeOf(policy);
  const column = data.columns[data.rows[place.rows[state.setting]][version]];
  const word = data.outcomes[Number((secure ? column.secure : column.ordinary)[guest])];
  const rule = data.rules[(secure ? column.secureRules : column.ordinaryRules)[guest]];
  return { word, column, rule };
}

const RANK = { works: 2, Recommended: 2, Supported: 1 };
function change(before, after) {
  const [a, b] = [RANK[before] || 0, RANK[after] || 0];
  return a === b ? (before === after ? 'same' : 'other') : b > a ? 'won' : 'lost';
}

let shown = [];
let focus = { row: 0, column: 0 };

function draw() {
  fillSlots();
  const guests = data.guests.map((guest, index) => index).filter((index) => {
    const words = state.guest.toLowerCase().split(/[\s,]+/).filter(Boolean);
    const name = (data.guests[index].name + ' ' + data.guests[index].title).toLowerCase();
    return words.length === 0 || words.some((word) => name.includes(word));
  });
  const versions = data.versions.map((_, index) => index).filter((index) => {
    const words = state.machine.split(/[\s,]+/).filter(Boolean);
    return words.length === 0 || words.includes(data.versions[index]);
  });
  const counts = {};
  const rows = [];
  for (const guest of guests) {
    const cells = versions.map((version) => {
      const cell = { guest, version, ...cellOf(state.policy, version, guest) };
      if (state.against >= 0) {
        cell.other = cellOf(state.against, version, guest);
        cell.change = change(cell.word, cell.other.word);
      }
      const key = cell.change && cell.change !== 'same' && cell.change !== 'other' ? cell.change : cell.word;
      counts[key] = (counts[key] || 0) + 1;
      return cell;
    });
    if (!state.only || state.against < 0 || cells.some((cell) => cell.change !== 'same')) rows.push(cells);
  }
  shown = rows;
  const head = el('tr', {}, el('th', { scope: 'col' }, 'guest'), ...versions.map((v) => el('th', { scope: 'col' }, data.versions[v])));
  const body = rows.map((cells, row) => el('tr', {},
    el('th', { scope: 'row', title: data.guests[cells[0].guest].title }, data.guests[cells[0].guest].name),
    ...cells.map((cell, column) => el('td', { role: 'gridcell' }, buttonOf(cell, row, column)))));
  byId('grid').replaceChildren(el('thead', {}, head), el('tbody', {}, ...body));
  if (focus.row >= rows.length || focus.column >= versions.length) focus = { row: 0, column: 0 };
  const first = buttonAt(focus.row, focus.column);
  if (first) first.tabIndex = 0;
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  byId('summary').textContent = total + ' cells: ' + Object.entries(counts).map(([word, n]) => n + ' ' + word).join(', ');
  byId('about').textContent = data.policies[state.policy].statement +
    (state.against >= 0 ? ' Compared with ' + data.policies[state.against].name + ': ' + data.policies[state.against].statement : '') +
    ' (' + (data.decidedBy === 'run' ? 'Each distinct cell was run on the emulated machine.' : 'Predicted by the rules alone; nothing was run.') + ')';
  const words = state.view === 'tier' ? ['Recommended', 'Supported', 'Unsupported'] : data.outcomes;
  byId('legend').replaceChildren(...words.map((word) => el('li', {}, el('span', { class: word }, LETTER[word]), word === MEANING[word] ? word : word + ': ' + MEANING[word])),
    ...(state.against >= 0 ? [el('li', {}, el('span', { class: 'lost' }, '↓'), 'lost with ' + data.policies[state.against].name), el('li', {}, el('span', { class: 'won' }, '↑'), 'won with it')] : []));
}

function buttonOf(cell, row, column) {
  const guest = data.guests[cell.guest];
  const shownWord = cell.change && cell.change !== 'same' ? cell.other.word : cell.word;
  const label = guest.title + ' on ' + data.versions[cell.version] + ': ' + cell.word + (cell.change && cell.change !== 'same' ? ', then ' + cell.other.word : '');
  const made = el('button', { type: 'button', tabindex: '-1', class: shownWord + (cell.change ? ' ' + cell.change : ''), 'aria-label': label, title: label },
    LETTER[shownWord] + (cell.change === 'lost' ? '↓' : cell.change === 'won' ? '↑' : ''));
  made.addEventListener('click', () => { focus = { row, column }; open(cell, made); });
  return made;
}
const buttonAt = (row, column) => byId('grid').querySelectorAll('tbody tr')[row]?.querySelectorAll('button')[column];

function open(cell, from) {
  for (const old of document.querySelectorAll('td button[aria-current]')) old.removeAttribute('aria-current');
  from.setAttribute('aria-current', 'true');
  const guest = data.guests[cell.guest];
  const policy = data.policies[state.policy];
  const machine = policy.prefix + data.versions[cell.version];
  const list = el('dl');
  const add = (name, ...value) => list.append(el('dt', {}, name), el('dd', {}, ...value));
  const secure = state.secure && guest.secure;
  const here = cell.column ? cell : { ...cell, ...withView('outcome', () => cellOf(state.policy, cell.version, cell.guest)) };
  const tier = withView('tier', () => cellOf(state.policy, cell.version, cell.guest)).tier;
  const rule = here.rule || data.rules.find((r) => r.id === here.column.rule);
  add('Outcome', here.word === MEANING[here.word] ? here.word : here.word + ': ' + MEANING[here.word]);
  add(here.column.built ? 'Device' : 'QEMU says', here.column.device);
  if (rule) add('Rule ' + rule.id, rule.statement, el('br'), 'Because ' + rule.reason + '.', el('br'), 'Source: ' + rule.source);
  add('Tier under ' + policy.name, tier.tier + (tier.cap ? ' (' + tier.cap + ')' : '') + (tier.tier === 'Unsupported' ? ': all ' + tier.tried + ' assignments of settings were tried' : ''));
  if (tier.options) add('Settings that rescue it', el('code', {}, tier.options));
  if (cell.other) {
    const after = withView('tier', () => cellOf(state.against, cell.version, cell.guest)).tier;
    add('Under ' + data.policies[state.against].name, cell.other.word + '; tier ' + after.tier + (after.options ? ' with ' : ''), ...(after.options ? [el('code', {}, after.options)] : []));
  }
  add('Guest', guest.title + ' (' + guest.certainty + '): ' + guest.evidence);
  const words = data.settings[state.setting];
  const device = data.devices[state.device] + (words ? ',' + words : '');
  const cellWords = policy.name + ' ' + machine + ' ' + device + ' ' + guest.name + (state.slot === 'host-bridge' ? '' : ' ' + state.slot) + (secure ? ' secure' : '') + (state.capability ? ' capability' : '');
  add('Why, from the command line', el('code', {}, 'papyrus explain ' + cellWords));
  if (here.column.built && /^virtio-(blk|net|rng)-pci/.test(device)) {
    add('Recording', el('code', {}, 'papyrus explain ' + cellWords + ' -o cell.rec.cbor'), el('br'), 'then ', el('code', {}, 'papyrus inspect cell.rec.cbor'), ' shows its events.');
  }
  byId('details').replaceChildren(el('h2', {}, guest.title + (secure ? ', secure' : '') + ' on ' + machine), list);
}
function withView(view, act) { const old = state.view; state.view = view; try { return act(); } finally { state.view = old; } }

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -99], End: [0, 99], PageUp: [-10, 0], PageDown: [10, 0] };
byId('grid').addEventListener('keydown', (event) => {
  const move = MOVES[event.key];
  if (!move || shown.length === 0) return;
  event.preventDefault();
  const old = buttonAt(focus.row, focus.column);
  if (old) old.tabIndex = -1;
  const within = (value, count) => Math.max(0, Math.min(count - 1, value));
  focus = { row: within(focus.row + move[0], shown.length), column: within(focus.column + move[1], shown[0].length) };
  const now = buttonAt(focus.row, focus.column);
  now.tabIndex = 0;
  now.focus();
});
byId('grid').addEventListener('click', () => byId('details').scrollIntoView({ block: 'nearest' }));
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') buttonAt(focus.row, focus.column)?.focus();
});
controls();
const opened = new URLSearchParams(location.hash.slice(1));
for (const [name, value] of opened) if (name in state) {
  const listed = name === 'policy' || name === 'against' ? data.policies.findIndex((policy) => policy.name === value) : value;
  state[name] = listed;
  if (byId(name)) byId(name).value = listed;
}
draw();
`;
