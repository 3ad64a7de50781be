// Writes what was measured into documentation, between marks.

import { readFile, writeFile } from 'node:fs/promises';

// update replaces what is between the marks of each section: { name: text }.
export async function update(file, sections) {
  let text = await readFile(file, 'utf8');
  for (const [name, body] of Object.entries(sections)) {
    const [begin, end] = [`<!-- bench-web ${name} -->\n`, `<!-- end bench-web ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${file}: no marks for ${name}`);
    text = `${text.slice(0, from + begin.length)}${body}\n${text.slice(to)}`;
  }
  await writeFile(file, text);
}
