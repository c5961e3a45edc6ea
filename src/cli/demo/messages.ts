import { z } from 'zod';

/** Who plays in the demo. */
export const NAMES = ['ada', 'ben', 'cleo', 'dan'] as const;
export type Name = (typeof NAMES)[number];

/** What agents wait for: things that they tell each other, and things that the ledger shows. Each comes once. */
export const FACTS = [
  'ada holds the cart',
  'ben waits',
  'cleo waits',
  'dan waits',
  'cleo is half-way',
  'dan is done',
  'cleo is lost',
] as const;
export type Fact = (typeof FACTS)[number];

/** How an agent's client is attached. The token of `serve` is read from its file, as a person would configure it. */
const attachment = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('stdio'), command: z.string(), args: z.array(z.string()), root: z.string() }),
  z.object({ kind: z.literal('http'), url: z.string(), tokenFile: z.string() }),
]);
export type Attachment = z.infer<typeof attachment>;

/** `legacy` is the protocol with a handshake and sessions, `modern` the one whose requests stand alone. */
const era = z.enum(['legacy', 'modern']);
export type Era = z.infer<typeof era>;

const fact = z.object({ type: z.literal('fact'), fact: z.enum(FACTS), value: z.string() });

/** From the demo to an agent. */
export const order = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), name: z.enum(NAMES), attachment, era }),
  fact,
]);
export type Order = z.infer<typeof order>;

/** What an agent learns from an answer and the ledger does not show. */
export const REMARKS = ['rebased', 'rejected', 'inputs', 'handover', 'uncontained'] as const;
export type Remark = (typeof REMARKS)[number];

/** From an agent to the demo. */
export const report = z.discriminatedUnion('type', [
  z.object({ type: z.literal('attached'), protocol: z.string(), server: z.number().nullable() }),
  z.object({ type: z.literal('remark'), about: z.enum(REMARKS), text: z.string(), paths: z.array(z.string()) }),
  fact,
  z.object({ type: z.literal('finished') }),
  z.object({ type: z.literal('failed'), reason: z.string() }),
]);
export type Report = z.infer<typeof report>;
