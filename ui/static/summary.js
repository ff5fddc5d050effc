// What a row comes to, in numbers and in words: its privileges, and what is staged for it.

const count = (mask) => mask.toString(2).replaceAll("0", "").length;
const counted = (number, noun) => (number ? `${number} ${noun}${number === 1 ? "" : "s"} staged` : "");

export function tally({ stored, staged, removal, unused }) {
  return {
    granted: count(stored),
    grants: removal ? 0 : count(staged & ~stored),
    revocations: removal ? 0 : count(stored & ~staged),
    unused: count(unused & staged),
  };
}

export function summary(row, all) {
  const { granted, grants, revocations, unused } = tally(row);
  return [
    `${granted} of ${all} privileges`,
    row.removal ? "removal staged" : "",
    row.amended.length ? `another ${row.amended.join(" and ")} staged` : "",
    counted(grants, "grant"),
    counted(revocations, "revocation"),
    unused ? `${unused} not used for 30 days or more` : "",
  ]
    .filter(Boolean)
    .join(", ");
}
