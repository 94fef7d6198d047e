/** What people and programs give as a reason may end without a full stop. */
export const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
