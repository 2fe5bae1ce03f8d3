// Numbers for people. What is not known is a dash, never a zero.

const DASH = "–";
const known = (value) => typeof value === "number" && Number.isFinite(value);

/** A count: 12,345. */
export const count = (value) => (known(value) ? Math.round(value).toLocaleString("en") : DASH);

/** A count in little room: 12.3k. */
export function short(value) {
  if (!known(value)) return DASH;
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

/** A time: 340 ms, 2.4 s, 3 min 20 s. */
export function duration(ms) {
  if (!known(ms)) return DASH;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(ms < 9950 ? 2 : 1))} s`;
  const seconds = Math.round(ms / 1000);
  const rest = seconds % 60;
  return `${Math.floor(seconds / 60)} min${rest ? ` ${rest} s` : ""}`;
}

/** A size: 812 B, 38 kB, 2.1 MB. */
export function bytes(value) {
  if (!known(value)) return DASH;
  if (value < 1000) return `${value} B`;
  if (value < 999_500) return `${Math.round(value / 1000)} kB`;
  return `${(value / 1_000_000).toFixed(1)} MB`;
}

/** A limit, which people set in powers of two. */
export const limit = (value) =>
  known(value) && value > 0 && value % 1_048_576 === 0 ? `${count(value / 1_048_576)} MiB` : bytes(value);

/** An amount in US dollars, with as many digits as a small one needs. */
export function money(value) {
  if (!known(value)) return DASH;
  if (value === 0) return "$0";
  if (value < 0.000001) return "< $0.000001";
  const digits = value >= 1 ? 2 : Math.min(6, 1 - Math.floor(Math.log10(value)));
  return `$${value.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: Math.max(2, digits) })}`;
}

/** A share: 3.2 %. */
export function percent(part, whole) {
  if (!whole) return DASH;
  const share = (100 * part) / whole;
  return `${share === 0 ? 0 : share < 0.1 ? "< 0.1" : share.toFixed(share < 10 ? 1 : 0)} %`;
}

/** A moment of the day and hour, in the reader's own time. */
export function moment(time) {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return DASH;
  return at.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  });
}

/** Only the time of day. */
export const clock = (time) => new Date(time).toLocaleTimeString("en-GB");

/** One thing or several: `plural(1, "call")`. */
export const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** A kind of token of an answer: "1,204 in, 80 out". */
export function tokens(usage) {
  if (!known(usage?.in) && !known(usage?.out)) return DASH;
  const parts = [`${count(usage.in)} in`, `${count(usage.out)} out`];
  if (usage.cached) parts.push(`${count(usage.cached)} cached`);
  if (usage.reasoning) parts.push(`${count(usage.reasoning)} reasoning`);
  return parts.join(" · ");
}
