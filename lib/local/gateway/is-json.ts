/** Whether a request's text is a JSON document, as services check it before they take it. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
