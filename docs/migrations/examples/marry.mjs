import { DatabaseSync } from 'node:sqlite';

const [file = 'shop.db'] = process.argv.slice(2);
new DatabaseSync(file).exec(`UPDATE people SET lastName = 'King' WHERE id = 1`);
