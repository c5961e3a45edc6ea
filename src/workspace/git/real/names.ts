const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.+/-]{0,200}$/u;
/** A name with the ways to go on from it (`HEAD~2`, `main@{1}`, `v1^{}`), or `@{upstream}`. */
const REV = /^(@|[\p{L}\p{N}_][\p{L}\p{N}_.+/#-]{0,200})?([~^]\d{0,6}|[@^]\{[\w-]{0,30}\}){0,10}$/u;
/** Where refs may be written: not `refs/replace`, which changes what commits hold. */
const OPEN_REF = /^(?!refs\/(?!(heads|tags|remotes)\/))/;
const HOST = '[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?';
const USER = '(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,60}@)?';
const PATH = '[A-Za-z0-9_.~][A-Za-z0-9_.~/+%-]{0,500}';
const URLS = [
  new RegExp(`^https://${USER}${HOST}(:\\d{1,5})?/${PATH}$`),
  new RegExp(`^ssh://${USER}${HOST}(:\\d{1,5})?/${PATH}$`),
  new RegExp(`^${USER}${HOST}:/?${PATH}$`),
];

export function isRemoteName(word: string): boolean {
  return NAME.test(word) && !word.includes('..') && !word.endsWith('/') && !word.includes('//');
}

export function isRev(word: string): boolean {
  return word !== '' && REV.test(word) && !word.includes('..');
}

/** `main`, `main:other`, with `+` before them. */
export function isRefspec(word: string): boolean {
  const names = word.replace(/^\+/, '').split(':');
  return (
    names.length <= 2 && names.every((name) => name === '' || (isRev(name) && OPEN_REF.test(name))) && word !== ':'
  );
}

/** The address of a remote, without a password and without a way to start a program. */
export function isUrl(word: string): boolean {
  return URLS.some((pattern) => pattern.test(word));
}
