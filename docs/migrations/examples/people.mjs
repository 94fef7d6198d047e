import { DatabaseSync } from 'node:sqlite';

const [file = 'shop.db'] = process.argv.slice(2);
const database = new DatabaseSync(file);
database.exec('PRAGMA journal_mode = WAL');
database.exec('CREATE TABLE people (id INTEGER PRIMARY KEY, firstName TEXT, lastName TEXT)');
const insert = database.prepare('INSERT INTO people (firstName, lastName) VALUES (?, ?)');
database.exec('BEGIN');
insert.run('Ada', 'Lovelace');
insert.run('Plato', null);
for (let n = 3; n <= 5_000; n += 1) insert.run(`First ${n}`, `Last ${n}`);
database.exec('COMMIT');
console.log(`${file}: 5000 people`);
