export { markdownOf } from './report/markdown.ts';
export {
  type Block,
  type Cell,
  type Column,
  type Page,
  pagesOf,
  type Section,
} from './report/page.ts';
export { bytes, documents, firstOf, grouped } from './report/words.ts';
