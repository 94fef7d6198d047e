/**
 * Rules are functions of values: a source file without a role suffix (`flag.ts`, not `flag.handler.ts`)
 * takes time, ids and randomness as values. This rule names what would make it depend on the moment.
 */
const isMember = (node, object, property) =>
  node.type === 'MemberExpression' &&
  !node.computed &&
  node.object.type === 'Identifier' &&
  node.object.name === object &&
  node.property.name === property;

const ambient = [
  ['Date', 'now'],
  ['Math', 'random'],
  ['process', 'env'],
  ['performance', 'now'],
  ['crypto', 'randomUUID'],
];

const noAmbient = {
  meta: {
    type: 'problem',
    messages: { ambient: '{{what}} depends on the moment: take it as a value, from the edge.' },
    schema: [],
  },
  create(context) {
    const report = (node, what) => context.report({ node, messageId: 'ambient', data: { what } });
    return {
      NewExpression(node) {
        const isNow = node.callee.type === 'Identifier' && node.callee.name === 'Date';
        if (isNow && node.arguments.length === 0) report(node, 'new Date()');
      },
      MemberExpression(node) {
        for (const [object, property] of ambient)
          if (isMember(node, object, property)) report(node, `${object}.${property}`);
      },
    };
  },
};

/** No decorator metadata is emitted: a constructor parameter without @Inject would silently be undefined. */
const injectByToken = {
  meta: {
    type: 'problem',
    messages: { inject: 'A constructor parameter of a Nest class needs @Inject(TOKEN).' },
    schema: [],
  },
  create(context) {
    const nest = new Set(['Controller', 'Injectable', 'Module', 'Catch']);
    const decorator = (d) => d.expression?.callee?.name;
    return {
      MethodDefinition(node) {
        if (node.kind !== 'constructor') return;
        const owner = node.parent.parent;
        if (!(owner.decorators ?? []).some((d) => nest.has(decorator(d)))) return;
        for (const parameter of node.value.params) {
          const decorators = parameter.decorators ?? [];
          if (!decorators.some((d) => decorator(d)?.startsWith('Inject')))
            context.report({ node: parameter, messageId: 'inject' });
        }
      },
    };
  },
};

export default {
  meta: { name: 'tidegate' },
  rules: { 'no-ambient': noAmbient, 'inject-by-token': injectByToken },
};
