import type { Refusal } from '../../../domain/refusal.js';
import type { Allowed, Arguments } from './options.js';

/** Where the files come from that a command may bring into the tree. */
export interface Reach {
  /** Commits whose trees come into it. */
  readonly trees: readonly string[];
  /** Ranges of commits that are applied one by one. */
  readonly commits: readonly string[];
  /** A stash that is applied. */
  readonly stash?: string;
  /** Whether files that git does not track are taken along. */
  readonly untracked?: true;
}

/** What is to be done before files move. */
export interface Pull {
  readonly fetch: readonly string[];
}

export interface Verdict {
  /** The arguments of the subcommand; those given where left out. */
  readonly args?: readonly string[];
  /** The subcommand, where it is another one. */
  readonly verb?: string;
  /** Set where files of the tree may change. */
  readonly reach?: Reach;
  /** `git pull` is a fetch, and then a merge or rebase of what that brought. */
  readonly pull?: Pull;
  /** It sends to a remote. */
  readonly push?: true;
}

export interface Verb extends Allowed {
  /** Whether these words change something; those that only look run contained, like every command. */
  readonly changes?: (given: readonly string[]) => boolean;
  readonly judge: (args: Arguments) => Verdict | Refusal;
}
