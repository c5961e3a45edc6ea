#!/usr/bin/env node
const args = process.argv.slice(2);

// `signalbox mcp` must answer its client at once: nothing else is loaded for it until a tool is called.
if (args[0] === 'mcp' && args.length === 1) {
  const { serveMcp } = await import('./mcp.js');
  serveMcp();
} else {
  const { runProgram } = await import('./program.js');
  await runProgram(args);
}
