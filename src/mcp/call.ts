import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import type { Caller } from '../coordinator/contract.js';
import { unavailable } from '../coordinator/unavailable.js';
import { isRefusal, type Refusal } from '../domain/refusal.js';
import { parse } from '../wire/parse.js';
import { patience, textOnly } from './clients.js';
import type { Door } from './connection.js';
import { identify, type Meta } from './identity.js';
import { inline } from './lists.js';
import { Progress } from './progress.js';
import { refusalText } from './refusal.js';
import type { Tool } from './tool.js';

/** One tool call, as a transport hands it over. */
export interface Request {
  readonly args: unknown;
  readonly meta: Meta | undefined;
  /** The name in the client's clientInfo. */
  readonly client: string;
  readonly signal: AbortSignal;
  /** Sends one progress notification; there if the client asked for them. */
  readonly progress?: (progress: number, sentence: string) => void;
  /** Told of what should not have happened. */
  readonly onerror: (error: unknown) => void;
}

interface Outcome {
  readonly answer: object;
  readonly ignored: readonly string[];
}

/** The one way to every tool: identity → schema → handler → rendering. Always answers. */
export async function call(tool: Tool, door: Door, request: Request): Promise<CallToolResult> {
  const progress = request.progress && new Progress(request.progress);
  try {
    const { answer, ignored } = await outcome(tool, door, request, callerOf(door, request, progress));
    const structured = !textOnly(request.client);
    return isRefusal(answer) ? refused(answer, ignored, structured) : rendered(tool, answer, ignored, structured);
  } catch (error) {
    request.onerror(error);
    return refused(unavailable(error), [], !textOnly(request.client));
  } finally {
    progress?.stop();
  }
}

async function outcome(tool: Tool, door: Door, request: Request, caller: Caller): Promise<Outcome> {
  const coordinator = await door.coordinator();
  if (isRefusal(coordinator)) return { answer: coordinator, ignored: [] };
  const parsed = parse(tool.name, tool.schema, request.args);
  if (isRefusal(parsed)) {
    await coordinator.refused(caller, tool.name, parsed).catch(request.onerror);
    return { answer: parsed, ignored: [] };
  }
  return { answer: await tool.handler(coordinator, caller, parsed.input), ignored: parsed.ignored };
}

function callerOf(door: Door, request: Request, progress: Progress | undefined): Caller {
  return {
    ...identify(request.meta, request.client, door.connection(request.client)),
    patience: patience(request.client, door.transport, progress !== undefined),
    signal: request.signal,
    ...(progress === undefined ? {} : { progress: (sentence: string) => progress.say(sentence) }),
  };
}

function rendered(tool: Tool, output: object, ignored: readonly string[], structured: boolean): CallToolResult {
  const images = tool.images?.(output) ?? [];
  return {
    content: [
      { type: 'text', text: tool.text(output) },
      ...images.map((image): ContentBlock => ({ type: 'image', ...image })),
      ...ignoredNote(ignored),
    ],
    ...(structured ? { structuredContent: withIgnored(tool.structured?.(output) ?? output, ignored) } : {}),
  };
}

function refused(refusal: Refusal, ignored: readonly string[], structured: boolean): CallToolResult {
  const { code, sentence, facts, next } = refusal;
  return {
    isError: true,
    content: [{ type: 'text', text: refusalText(refusal) }, ...ignoredNote(ignored)],
    ...(structured ? { structuredContent: withIgnored({ code, sentence, facts, next }, ignored) } : {}),
  };
}

/** A block of its own, so that it cannot pass for the end of a file. */
function ignoredNote(ignored: readonly string[]): ContentBlock[] {
  if (ignored.length === 0) return [];
  const names = ignored.map((name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name));
  return [{ type: 'text', text: `Ignored, no such argument: ${inline(names)}` }];
}

function withIgnored(output: object, ignored: readonly string[]): { [key: string]: unknown } {
  return { ...output, ...(ignored.length === 0 ? {} : { ignored_arguments: ignored.slice(0, 20) }) };
}
