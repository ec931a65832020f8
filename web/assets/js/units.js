// Values as the server writes them (web/explore/src/chart/units.rs); the unit comes with each chart.
const lang = document.documentElement.lang || "es";
const GAP = "\u202f";

const SI = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [0, ""]];
const BINARY = [[2 ** 50, "PiB"], [2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"], [0, "B"]];
const rate = (scales) => scales.map(([from, name]) => [from, `${name}/s`]);
const SCALES = {
  short: SI,
  bytes: BINARY,
  "bytes-per-second": rate(BINARY),
  "decimal-bytes": [[1e15, "PB"], [1e12, "TB"], [1e9, "GB"], [1e6, "MB"], [1e3, "kB"], [0, "B"]],
  "bits-per-second": [[1e12, "Tbit/s"], [1e9, "Gbit/s"], [1e6, "Mbit/s"], [1e3, "kbit/s"], [0, "bit/s"]],
  "per-second": rate(SI),
  seconds: [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]],
  plain: [[0, ""]],
  percent: [[0, "%"]],
};

function scale(unit, size) {
  if (unit?.named !== undefined) return [1, unit.named];
  if (unit === "ratio") return [0.01, "%"];
  if (unit === "seconds" && size === 0) return [1, "s"];
  const scales = SCALES[unit] ?? SI;
  const [from, name] = scales.find(([from]) => size >= from) ?? scales.at(-1);
  return [from || 1, name];
}

export function format(unit, value) {
  if (value == null) return "–";
  const [factor, name] = scale(unit, Math.abs(value));
  const scaled = value / factor;
  const magnitude = scaled === 0 ? 0 : Math.floor(Math.log10(Math.abs(scaled)));
  const decimals = Number.isInteger(scaled) ? 0 : Math.min(8, Math.max(magnitude < 3 ? 1 : 0, 2 - magnitude));
  const digits = scaled.toLocaleString(lang, { maximumFractionDigits: decimals });
  if (!name) return digits;
  return lang === "en" && (name === "%" || name === "/s") ? digits + name : digits + GAP + name;
}

export function time(ms, zone, span) {
  const options = { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", day: "numeric", month: "short" };
  if (span < 60_000) options.fractionalSecondDigits = 3;
  return new Date(ms).toLocaleString(lang, options);
}
