// Answers in the wire format of each service: a result as JSON, an error so that the SDK throws the exception of that
// name. Errors carry what a service sends: code, message and, for throttles, the status that makes the SDK retry.

export interface Reply {
  status: number;
  headers: Record<string, string | string[]>;
  body: Buffer;
}

export const jsonReply = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: Buffer.from(JSON.stringify(value)),
});

const XML = { 'content-type': 'text/xml' };

/** An error that reaches the SDK as exception `code`. */
export function errorReply(service: string, code: string, message: string, status = 400): Reply {
  switch (service) {
    case 's3':
      return text(
        status,
        XML,
        `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${xml(message)}</Message></Error>`,
      );
    case 'sns':
    case 'sts':
      return text(
        status,
        XML,
        `<ErrorResponse><Error><Type>${status < 500 ? 'Sender' : 'Receiver'}</Type><Code>${code}</Code><Message>${xml(message)}</Message></Error><RequestId>local</RequestId></ErrorResponse>`,
      );
    case 'lambda':
      return text(
        status,
        { 'content-type': 'application/json', 'x-amzn-errortype': code },
        JSON.stringify({ Type: status < 500 ? 'User' : 'Service', Message: message, message }),
      );
    case 'dynamodb':
      return json(status, `com.amazonaws.dynamodb.v20120810#${code}`, message);
    case 'sqs':
      return json(status, `com.amazonaws.sqs#${code}`, message);
    default:
      return json(status, code, message);
  }
}

const json = (status: number, type: string, message: string): Reply =>
  text(status, { 'content-type': 'application/x-amz-json-1.1' }, JSON.stringify({ __type: type, message }));

const text = (status: number, headers: Record<string, string>, body: string): Reply => ({
  status,
  headers: { ...headers, 'x-amzn-requestid': 'local' },
  body: Buffer.from(body),
});

const xml = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
