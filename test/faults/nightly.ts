/** Whole suites instead of the part that fits into `npm test`. */
export const isNightly = process.env['NIGHTLY'] === '1';
