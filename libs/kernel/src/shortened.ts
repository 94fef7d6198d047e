const LONGEST = 500;

/** At most so many characters: where there are more, the middle is left out, and how much that is takes its place. */
export function shortened(text: string, longest = LONGEST): string {
  if (text.length <= longest) return text;
  const note = ` … (${text.length} characters) … `;
  const room = Math.max(0, longest - note.length);
  const end = Math.floor(room / 3);
  const first = text.slice(0, room - end).replace(/[\uD800-\uDBFF]$/, '');
  const last = text.slice(text.length - end).replace(/^[\uDC00-\uDFFF]/, '');
  return `${first}${note}${last}`;
}
