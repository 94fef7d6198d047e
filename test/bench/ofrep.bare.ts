import fastify from 'fastify';

/** Fastify alone: it reads the same requests and serialises the same answers, and does nothing else. */
const server = fastify();
const answers = new Map<string, unknown>();
server.put('/answers/:name', ({ params, body }, reply) => {
  answers.set((params as { name: string }).name, body);
  void reply.code(204).send();
});
server.post('/answers/:name', ({ params }) => answers.get((params as { name: string }).name));
const url = await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`listening on ${url}\n`);
