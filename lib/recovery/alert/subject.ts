// Subjects of messages to a topic.

/**
 * SNS API reference, Publish, Subject: no line breaks or control characters, and LESS than 100 characters. Older editions of
 * that page also want ASCII that does not begin with a space.
 */
const SUBJECT_MAX = 99;

/**
 * A text as a subject that SNS takes, whatever names it holds: at most 99 characters of printable ASCII.
 * @example topicSubject('Recovery für\nalle') // 'Recovery f?r?alle'
 */
export const topicSubject = (text: string): string =>
  text
    .replace(/[^\x20-\x7e]/g, '?')
    .trimStart()
    .slice(0, SUBJECT_MAX);
