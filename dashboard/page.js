// A plain page over the read API: what runs, what it earned, what it decided and why.

const REFRESH_MS = 2000;
const ROWS = 50;
const node = (id) => document.getElementById(id);

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

function cell(kind, text) {
  const element = document.createElement(kind);
  element.textContent = text ?? "–";
  return element;
}

function table(columns, rows, empty) {
  if (!rows.length) {
    const note = cell("p", empty);
    note.className = "quiet";
    return note;
  }
  const head = document.createElement("tr");
  head.append(...columns.map(([title]) => cell("th", title)));
  const lines = rows.map((row) => {
    const line = document.createElement("tr");
    line.append(...columns.map(([, value]) => cell("td", value(row))));
    return line;
  });
  const whole = document.createElement("table");
  whole.append(head, ...lines);
  return whole;
}

const time = (text) => text?.replace("T", " ").slice(0, 16);
const money = (text) => (text == null ? null : `${Number(text) < 0 ? "▼" : "▲"} ${Number(text).toFixed(2)}`);
const percent = (value) => (value == null ? null : `${(value * 100).toFixed(1)} %`);
const side = (text) => ({ long: "▲ long", short: "▼ short" })[text] ?? text;

function drawLabels({ mode, market, predictor }) {
  node("labels").replaceChildren(...[market, mode, predictor].map((text) => cell("span", text)));
}

function drawTiles(overview) {
  const tiles = [
    ["Equity, net", Number(overview.equity ?? 0).toFixed(2)],
    ["Net pnl", money(overview.net_pnl)],
    ["Fees", Number(overview.fees ?? 0).toFixed(2)],
    ["Funding", Number(overview.funding ?? 0).toFixed(2)],
    ["Win rate", percent(overview.win_rate)],
    ["Closed trades", overview.closed_trades],
  ];
  node("tiles").replaceChildren(
    ...tiles.map(([title, value]) => {
      const tile = document.createElement("div");
      tile.append(cell("dt", title), cell("dd", value));
      return tile;
    }),
  );
}

function drawEquity(points) {
  const values = points.map((point) => Number(point.equity));
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  const place = (value, index) => `${(index / Math.max(values.length - 1, 1)) * 600},${115 - ((value - low) / span) * 110}`;
  line.setAttribute("points", values.map(place).join(" "));
  const chart = node("equity");
  chart.replaceChildren(line);
  if (values.length) {
    chart.setAttribute("aria-label", `Equity after each of ${values.length} closed trades, now ${values.at(-1).toFixed(2)}`);
  }
}

const levels = [
  ["qty", (row) => row.qty],
  ["entry", (row) => row.entry],
  ["target", (row) => row.tp],
  ["stop", (row) => row.sl],
];
const POSITION_COLUMNS = [
  ["symbol", (row) => row.symbol],
  ["side", (row) => side(row.side)],
  ...levels,
  ["since (UTC)", (row) => time(row.opened_at)],
];
const SIGNAL_COLUMNS = [
  ["symbol", (row) => row.symbol],
  ["direction", (row) => side(row.direction)],
  ["probability", (row) => percent(row.prob)],
  ["reward / risk", (row) => row.risk_reward],
  ["blocked by", (row) => row.blocked_by ?? "passed"],
  ["as of (UTC)", (row) => time(row.as_of)],
];
const TRADE_COLUMNS = [
  ["opened (UTC)", (row) => time(row.timestamp)],
  ["symbol", (row) => row.symbol],
  ["side", (row) => side(row.side)],
  ...levels,
  ["exit", (row) => row.exit],
  ["net pnl", (row) => money(row.net_pnl)],
  ["R", (row) => row.r_multiple],
  ["ended by", (row) => row.exit_reason ?? row.status],
];
const LOG_COLUMNS = [
  ["at (UTC)", (row) => time(row.at)],
  ["what", (row) => row.kind],
  ["symbol", (row) => row.symbol],
  ["", (row) => row.text],
];

async function refresh() {
  const [overview, signals, trades, logs] = await Promise.all([
    read("/api/overview"),
    read("/api/signals"),
    read(`/api/trades?limit=${ROWS}`),
    read(`/api/logs?lines=${ROWS}`),
  ]);
  drawLabels(overview);
  drawTiles(overview);
  drawEquity(overview.equity_points);
  node("positions").replaceChildren(table(POSITION_COLUMNS, overview.positions, "No trade is open."));
  node("signals").replaceChildren(table(SIGNAL_COLUMNS, signals.signals, "No decision yet: the first comes with the next five-minute bar."));
  node("trades").replaceChildren(table(TRADE_COLUMNS, trades.trades, "No trade yet."));
  node("logs").replaceChildren(table(LOG_COLUMNS, logs.logs, "Nothing has happened yet."));
  node("verdict").textContent = overview.heartbeat_at
    ? `Running. Last heartbeat ${time(overview.heartbeat_at)} UTC, last tick ${overview.last_tick ?? "none yet"}.`
    : "Started; the first reconciliation is due within a minute.";
  document.body.classList.remove("stale");
}

async function keepFresh() {
  try {
    await refresh();
  } catch (error) {
    node("verdict").textContent = `No connection: what is shown is old. ${error.message}`;
    document.body.classList.add("stale");
  }
  setTimeout(keepFresh, REFRESH_MS);
}

keepFresh();
