import { defineMigration } from '@tidegate/migration';

type Person = {
  id: number;
  firstName: string;
  lastName: string | null;
  fullName?: string | null | undefined; // new
};

function fullName({ firstName, lastName }: Person): string {
  if (typeof firstName !== 'string') throw new Error('there is no first name');
  return lastName ? `${firstName} ${lastName}` : firstName;
}

export default defineMigration<Person>({
  id: 'full-names',
  description: 'Keeps the full name of a person, which letters begin with.',
  target: 'shop',
  collection: 'people',
  dependsOn: ['full-name-column'],
  pending: { fullName: { exists: false } },
  reads: ['firstName', 'lastName'],
  up: (person) => ({ ...person, fullName: fullName(person) }),
  down: (person) => ({ ...person, fullName: undefined }),
  invariants: [
    {
      name: 'full-name-is-both',
      holds: (person) => !person.fullName || person.fullName === fullName(person),
    },
  ],
  groupBy: ({ lastName }) => (lastName ? 'two names' : 'one name'),
  samples: [
    { id: 1, firstName: 'Ada', lastName: 'Lovelace' },
    { id: 2, firstName: 'Plato', lastName: null, fullName: null },
  ],
});
