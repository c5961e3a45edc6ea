/** Loaded into the server of the demo: it ends with the demo, however that ended. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
