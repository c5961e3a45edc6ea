import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/server';
import type { Caller } from '../coordinator/contract.js';
import { unavailable } from '../coordinator/unavailable.js';
import type { Told } from '../domain/notes.js';
import { isRefusal, type Refusal, refuse } from '../domain/refusal.js';
import { parse } from '../wire/parse.js';
import { patience, textOnly } from './clients.js';
import type { Door, Rights } from './connection.js';
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

/** What goes with an answer, whatever the tool. */
interface Aside {
  readonly ignored: readonly string[];
  readonly notes: readonly Told[];
}

/** The one way to every tool: identity → rights → schema → handler → rendering. Always answers. */
export async function call(tool: Tool, door: Door, request: Request): Promise<CallToolResult> {
  const progress = request.progress && new Progress(request.progress);
  const structured = !textOnly(request.client);
  const notes: Told[] = [];
  try {
    const caller = { ...callerOf(door, request, progress), heard: (told: readonly Told[]) => void notes.push(...told) };
    const { answer, ignored } = await outcome(tool, door, request, caller);
    const aside = { ignored, notes };
    return isRefusal(answer) ? refused(answer, aside, structured) : rendered(tool, answer, aside, structured);
  } catch (error) {
    request.onerror(error);
    return refused(unavailable(error), { ignored: [], notes }, structured);
  } finally {
    progress?.stop();
  }
}

async function outcome(tool: Tool, door: Door, request: Request, caller: Caller): Promise<Outcome> {
  const coordinator = await door.coordinator();
  if (isRefusal(coordinator)) return { answer: coordinator, ignored: [] };
  const parsed = barred(tool, door.rights) ?? parse(tool.name, tool.schema, request.args);
  if (isRefusal(parsed)) {
    await coordinator.refused(caller, tool.name, parsed).catch(request.onerror);
    return { answer: parsed, ignored: [] };
  }
  return { answer: await tool.handler(coordinator, caller, parsed.input), ignored: parsed.ignored };
}

/** Who only observes may look, and nothing else. */
function barred({ name, effect }: Tool, { role }: Rights): Refusal | undefined {
  if (role !== 'observer' || effect === 'look') return undefined;
  const next = 'Use read and list_scopes, or ask the operator for the token of an agent.';
  return refuse('DENIED', `Your token is for observers, who may not call ${name}.`, next, { role });
}

function callerOf(door: Door, request: Request, progress: Progress | undefined): Caller {
  return {
    ...identify(request.meta, request.client, door.connection(request.client)),
    patience: patience(request.client, door.transport, progress !== undefined),
    signal: request.signal,
    ...(door.rights.limits === undefined ? {} : { limits: door.rights.limits }),
    ...(progress === undefined ? {} : { progress: (sentence: string) => progress.say(sentence) }),
  };
}

function rendered(tool: Tool, output: object, aside: Aside, structured: boolean): CallToolResult {
  const images = tool.images?.(output) ?? [];
  return {
    content: [
      { type: 'text', text: tool.text(output) },
      ...images.map((image): ContentBlock => ({ type: 'image', ...image })),
      ...blocks(aside),
    ],
    ...(structured ? { structuredContent: withAside(tool.structured?.(output) ?? output, aside) } : {}),
  };
}

function refused(refusal: Refusal, aside: Aside, structured: boolean): CallToolResult {
  const { code, sentence, facts, next } = refusal;
  return {
    isError: true,
    content: [{ type: 'text', text: refusalText(refusal) }, ...blocks(aside)],
    ...(structured ? { structuredContent: withAside({ code, sentence, facts, next }, aside) } : {}),
  };
}

/** Blocks of their own, so that they cannot pass for the end of a file. */
function blocks({ ignored, notes }: Aside): ContentBlock[] {
  const names = ignored.map((name) => (name.length > 60 ? `${name.slice(0, 60)}…` : name));
  const texts = notes.map(({ scope, from, text }) => `Note for ${scope} from ${from}: ${text}`);
  if (names.length > 0) texts.push(`Ignored, no such argument: ${inline(names)}`);
  return texts.map((text) => ({ type: 'text', text }));
}

function withAside(output: object, { ignored, notes }: Aside): { [key: string]: unknown } {
  return {
    ...output,
    ...(notes.length === 0 ? {} : { notes }),
    ...(ignored.length === 0 ? {} : { ignored_arguments: ignored.slice(0, 20) }),
  };
}
