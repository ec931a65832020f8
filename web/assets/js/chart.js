// A check's latency: the phases stacked, the slowest measurement as a line, failures as bands. The sentence beside it
// says the same in words.
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Resolves light-dark() for the canvas, which does not know it.
function colour(name) {
  const probe = document.createElement("i");
  probe.className = `probe-${name}`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}

const PHASES = ["resolve", "connect", "tls", "processing", "transfer"];

function millis(value) {
  if (value == null) return "–";
  const lang = document.documentElement.lang;
  const number = (v, digits) => v.toLocaleString(lang, { maximumFractionDigits: digits });
  return value >= 1000 ? `${number(value / 1000, 2)} s` : `${number(value, value < 10 ? 1 : 0)} ms`;
}

function stack(lines) {
  const sums = [];
  let below = null;
  for (const line of lines) {
    const sum = line.map((v, i) => (v == null ? null : v + (below?.[i] ?? 0)));
    sums.push(sum);
    below = sum;
  }
  return sums;
}

function failureBands(down, step) {
  return {
    hooks: {
      drawClear: (u) => {
        u.ctx.save();
        u.ctx.fillStyle = colour("down-band");
        for (let i = 0; i < down.length; i++) {
          if (!down[i]) continue;
          const from = u.valToPos(u.data[0][i], "x", true);
          const width = Math.max(3, u.valToPos(u.data[0][i] + step, "x", true) - from);
          u.ctx.fillRect(from, u.bbox.top, width, u.bbox.height);
        }
        u.ctx.restore();
      },
    },
  };
}

function options(box, data, words, zone) {
  const axis = { stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line") }, font: `12px ${css("--font")}` };
  const present = data.phases.map((p) => PHASES.indexOf(p.phase));
  // The last sum is drawn first, so that each phase covers what is below it.
  const areas = present
    .map((index) => ({ label: words[index], stroke: colour(`phase-${index}`), fill: colour(`phase-${index}`), width: 0, points: { show: false }, spanGaps: false }))
    .reverse();
  const legend = (u, v, s, i) => (i == null ? "–" : millis(s > areas.length ? v : data.phases[areas.length - s].values[i]));
  areas.forEach((area) => (area.value = legend));
  const total = { label: words[5], stroke: colour("accent"), width: 1.5, points: { show: data.total.filter((v) => v != null).length < 80, size: 4 }, value: (u, v) => millis(v) };
  const lang = document.documentElement.lang;
  const when = (t) => new Date(t * 1000).toLocaleString(lang, { timeZone: zone, dateStyle: "medium", timeStyle: "short" });
  return {
    width: box.clientWidth,
    height: Math.min(280, Math.max(180, box.clientWidth * 0.32)),
    tzDate: (t) => uPlot.tzDate(new Date(t * 1000), zone),
    padding: [8, 8, 0, 0],
    cursor: { points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (u, min, max) => [0, (max || 1) * 1.1] } },
    axes: [
      { ...axis, values: (u, ticks, a, b, gap) => ticks.map((t) => new Date(t * 1000).toLocaleString(lang, gap >= 86400 ? { timeZone: zone, day: "numeric", month: "short" } : { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" })) },
      { ...axis, size: 64, values: (u, ticks) => ticks.map(millis) },
    ],
    series: [{ label: words[6], value: (u, t) => (t == null ? "–" : when(t)) }, ...areas, total],
    plugins: [failureBands(data.down, data.step)],
  };
}

async function draw(box) {
  const answer = await fetch(box.dataset.chart, { credentials: "same-origin" });
  if (!answer.ok || !window.uPlot) return;
  const data = await answer.json();
  const words = box.dataset.words.split("|");
  const sums = stack(data.phases.map((p) => p.values)).reverse();
  const fresh = document.createElement("div");
  const plot = new uPlot(options(box, data, words, box.dataset.zone), [data.at, ...sums, data.total], fresh);
  box.replaceChildren(fresh);
  return plot;
}

export function startCharts() {
  for (const box of document.querySelectorAll("[data-chart]")) {
    let plot;
    const again = async () => (plot = (await draw(box)) ?? plot);
    again();
    setInterval(() => !document.hidden && again(), 60_000);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    let width = box.clientWidth;
    new ResizeObserver(() => {
      if (plot && box.clientWidth !== width) {
        width = box.clientWidth;
        plot.setSize({ width, height: plot.height });
      }
    }).observe(box);
  }
}
