import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { needProgram, run } from './tools.ts';

const SOURCE = 'vendor/github.com/FerretDB/FerretDB/internal';

/** What is asked of SQLite for one id, several ids, and the ids after one: in their order then. Other numbers have several texts. */
const WHERE = `var ids []any
		compare := "= ?"
		switch v := v.(type) {
		case string, types.ObjectID, int32:
			ids = []any{v}
		case *types.Document:
			if after, _ := v.Get("$gt"); after != nil {
				if _, ok := after.(types.ObjectID); ok {
					ids, compare = []any{after}, "> ? ORDER BY " + metadata.IDColumn
				}
			} else if in, _ := v.Get("$in"); in != nil {
				array, _ := in.(*types.Array)
				for i := 0; i < array.Len(); i++ {
					id := must.NotFail(array.Get(i))
					switch id.(type) {
					case string, types.ObjectID, int32:
						ids = append(ids, id)
					}
				}
				if len(ids) == array.Len() && len(ids) > 0 {
					compare = "IN (?" + strings.Repeat(", ?", len(ids)-1) + ")"
				} else {
					ids = nil
				}
			}
		}
		if len(ids) > 0 {
			whereClause = fmt.Sprintf(\` WHERE %s %s\`, metadata.IDColumn, compare)
			for _, id := range ids {
				args = append(args, string(must.NotFail(sjson.MarshalSingleValue(id))))
			}
		}`;
const WHERE_BEFORE = `switch v.(type) {
		case string, types.ObjectID:
			whereClause = fmt.Sprintf(\` WHERE %s = ?\`, metadata.IDColumn)
			args = []any{string(must.NotFail(sjson.MarshalSingleValue(v)))}
		}`;

const SORT_BEFORE = 'iter, err := common.SortIterator(iter, closer, params.Sort)';
const SORT = `var err error
	isSorted := false
	if params.Sort.Len() == 1 && params.Filter.Len() > 0 {
		by, _ := params.Sort.Get("_id")
		id, _ := params.Filter.Get("_id")
		if range_, ok := id.(*types.Document); ok && by == int64(1) {
			after, _ := range_.Get("$gt")
			_, isSorted = after.(types.ObjectID)
		}
	}
	if !isSorted {
		iter, err = common.SortIterator(iter, closer, params.Sort)
	}`;

const UPDATE = 'result, err := common.UpdateDocument(ctx, c, "update", iter, &u)';

/**
 * FerretDB 1.24 never uses an index of SQLite: it asks for `_id` by another expression than the one it has indexed,
 * not at all if a filter has anything else, as that of a compare-and-set has, and never for a range. What it finds, it
 * filters again, so that it answers the same with these changes, but not by reading the whole collection. And an update
 * command keeps each row it found open to its end: with a hundred of them it has no connection left, and hangs for ever.
 */
const CHANGES = [
  ['backends/sqlite/metadata/metadata.go', `"->'$._id'"`, '`->"_id"`'],
  ['backends/sqlite/collection.go', WHERE_BEFORE, WHERE],
  ['backends/sqlite/collection.go', 'params.Filter.Len() == 1', 'params.Filter.Len() >= 1'],
  ['handler/msg_find.go', SORT_BEFORE, SORT],
  ['handler/msg_update.go', 'defer closer.Close()\n', ''],
  ['handler/msg_update.go', UPDATE, `${UPDATE}\n\t\tcloser.Close()`],
] as const;

/** Builds the server of `ferretdb/main.go` into the folder; takes a minute. */
export function buildFerretdb(folder: string): void {
  const go = needProgram('go', 'https://go.dev/doc/install');
  const env = { GOTOOLCHAIN: 'local' };
  cpSync(join(import.meta.dirname, 'ferretdb'), folder, { recursive: true });
  run(go, ['mod', 'vendor'], folder, env);
  for (const [name, before, after] of CHANGES) {
    const file = join(folder, SOURCE, name);
    const text = readFileSync(file, 'utf8');
    if (!text.includes(before)) throw new Error(`${name} is not as it is in FerretDB 1.24.`);
    writeFileSync(file, text.replaceAll(before, after));
  }
  run(go, ['build', '-mod=vendor', '-o', 'ferretdb', '.'], folder, env);
  rmSync(join(folder, 'vendor'), { recursive: true });
}
