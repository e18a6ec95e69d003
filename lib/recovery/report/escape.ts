// Text of unknown origin (event ids, error messages, names) inside the renderings: it may break neither the page nor a line.

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the purpose
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** For HTML text and quoted attributes. */
export const html = (text: unknown): string =>
  String(text)
    .replace(CONTROL_CHARACTERS, '·')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string);

/** For one cell or line of Markdown. */
export const markdown = (text: unknown): string =>
  String(text)
    .replace(CONTROL_CHARACTERS, ' ')
    .replace(/[\\`*_{}[\]<>()#|!~]/g, '\\$&');

/** For one line of a fenced block, where nothing can be escaped: it stays a line, and the fence closed. */
export const codeLine = (text: unknown): string =>
  String(text).replace(CONTROL_CHARACTERS, ' ').replace(/`{3,}/g, "'''");
