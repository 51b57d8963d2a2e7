/**
 * Whom a container runs as: `user`, `user:group`, `uid`, `uid:gid` against the image's own /etc/passwd and /etc/group.
 * Failure: `container-start-failed` when a name is not in them. A number needs no entry.
 */
import { DormouseError } from '../../shared/errors/dormouse-error.ts';
import { readInside } from './inside-root.ts';

export interface ImageUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** Of the passwd entry; `/` without one. */
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** An empty user is root, as everywhere. */
export async function resolveUser(rootPath: string, text: string): Promise<ImageUser> {
  const [userText = '', groupText] = text.split(':');
  const passwd = parsePasswd((await readInside(rootPath, '/etc/passwd')) ?? '');
  const groups = parseGroups((await readInside(rootPath, '/etc/group')) ?? '');
  const wanted = userText || '0';
  const entry = passwd.find(({ name }) => name === wanted) ?? passwd.find(({ uid }) => String(uid) === wanted);
  const uid = entry?.uid ?? numberOf(wanted, 'user', '/etc/passwd');
  const home = entry?.home ?? '/';
  if (groupText) return { uid, gid: groupId(groups, groupText), additionalGids: [], home };
  return { uid, gid: entry?.gid ?? 0, additionalGids: entry ? membershipsOf(groups, entry) : [], home };
}

const membershipsOf = (groups: readonly GroupEntry[], entry: PasswdEntry): number[] =>
  groups.filter(({ members, gid }) => members.includes(entry.name) && gid !== entry.gid).map(({ gid }) => gid);

const groupId = (groups: readonly GroupEntry[], text: string): number =>
  groups.find(({ name }) => name === text)?.gid ?? numberOf(text, 'group', '/etc/group');

function numberOf(text: string, what: string, file: string): number {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  throw new DormouseError(
    'container-start-failed',
    `the ${what} ${JSON.stringify(text)} is not in ${file} of the image`,
  );
}

const linesOf = (text: string): string[][] => text.split('\n').map((line) => line.split(':'));
const isId = (text: string | undefined): boolean => text !== undefined && /^[0-9]+$/.test(text);

const parsePasswd = (text: string): PasswdEntry[] =>
  linesOf(text)
    .filter(([name, , uid, gid]) => name && isId(uid) && isId(gid))
    .map(([name = '', , uid, gid, , home]) => ({ name, uid: Number(uid), gid: Number(gid), home: home ?? '/' }));

const parseGroups = (text: string): GroupEntry[] =>
  linesOf(text)
    .filter(([name, , gid]) => name && isId(gid))
    .map(([name = '', , gid, members = '']) => ({
      name,
      gid: Number(gid),
      members: members.split(',').filter(Boolean),
    }));
