/** Loaded into the server of the demo: it ends with the demo, however that ended. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// Listening alone must not keep the server alive.
process.channel?.unref();

export {};
