/**
 * docs/sdk-reference.md, made from the interfaces of the client and their comments: everything that can be reached from
 * `createClient`. Its sources are read, not run; what the api takes and answers is in docs/api.md.
 */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import ts from 'typescript';

const folder = path.join(import.meta.dirname, '../../sdk');

const head = `# The client, member by member

<!-- Generated from sdk/: \`npm run generate\`. -->

How it is used is in [sdk.md](sdk.md). \`createClient(options: ClientOptions): DormouseClient\` is where it begins; what the api takes and
answers (\`Actor\`, \`TemplateSpec\`, \`Operation\`, …) is in [api.md](api.md#schemas). What ends with \`?\` may be left out.
`;

/** Where the reading begins; the others follow in the order in which they are named. */
const roots = ['ClientOptions', 'DormouseClient', 'ActorHandle'];

type Known = ReadonlyMap<string, ts.InterfaceDeclaration>;

export async function sdkReference(): Promise<string> {
  const known = await declaredInterfaces();
  const reached = [...roots];
  const sections: string[] = [];
  for (const name of reached) {
    const declaration = known.get(name);
    if (declaration === undefined) throw new Error(`the client has no interface ${name}`);
    sections.push(section(declaration, known));
    for (const other of namesIn(declaration.getText(), known)) if (!reached.includes(other)) reached.push(other);
  }
  return [head, ...sections].join('\n');
}

async function declaredInterfaces(): Promise<Known> {
  const known = new Map<string, ts.InterfaceDeclaration>();
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  for (const name of names.sort()) {
    const text = await readFile(path.join(folder, name), 'utf8');
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
    for (const statement of source.statements) {
      if (ts.isInterfaceDeclaration(statement)) known.set(statement.name.text, statement);
    }
  }
  return known;
}

const namesIn = (text: string, known: Known): string[] =>
  [...text.matchAll(/\b[A-Z]\w+/g)].map(([name]) => name).filter((name) => known.has(name));

function section(declaration: ts.InterfaceDeclaration, known: Known): string {
  const parents = declaration.heritageClauses?.flatMap(({ types }) => types.map((type) => type.getText())) ?? [];
  const rows = declaration.members.map((member) => `| \`${signatureOf(member)}\` | ${cell(commentOf(member))} |`);
  const parts = [
    `## ${declaration.name.text}`,
    commentOf(declaration),
    parents.length === 0 ? '' : `Also what ${parents.map((parent) => linked(parent, known)).join(', ')} has.`,
    rows.length === 0 ? '' : ['| member | |', '|---|---|', ...rows].join('\n'),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

const linked = (name: string, known: Known): string =>
  known.has(name) ? `[${name}](#${name.toLowerCase()})` : `\`${name}\``;

/** On one line, without what says nothing to a caller: everything here is read-only, and what may be absent says so by `?`. */
const signatureOf = (member: ts.TypeElement): string =>
  member
    .getText()
    .replace(/\s+/g, ' ')
    .replace(/\breadonly (?=\w+\??:)/g, '')
    .replaceAll(' | undefined', '')
    .replace(/;$/, '')
    .replaceAll('|', '\\|');

const commentOf = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? '')
    .join(' ')
    .trim();

const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').replaceAll('<', '&lt;');
