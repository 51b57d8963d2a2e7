/** `npm run generate`: everything that is generated from sources, written where it is committed. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generateProtocol } from '../../assets/generate.ts';
import { generatedTexts } from './generated-texts.ts';

const root = path.join(import.meta.dirname, '../..');

for (const [name, text] of Object.entries(generatedTexts)) await writeFile(path.join(root, name), await text());
await generateProtocol();
