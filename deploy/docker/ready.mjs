// Ends with 0 if the service on this port of the container is ready, with 1 if not.
const answer = await fetch(`http://127.0.0.1:${process.argv[2]}/health/ready`);
process.exitCode = answer.ok ? 0 : 1;
