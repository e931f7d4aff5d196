/**
 * Server-sent events, taken apart as text arrives (WHATWG HTML, 9.2.6). Pure: bytes come in any cut, whole events go out.
 * Own parser because the browser's EventSource can neither be told where to resume after its first connection
 * failed for good, nor show a silent line or a 401.
 */
export interface ServerEvent {
  event: string;
  data: string;
  /** Empty when the server gave none yet. */
  id: string;
}

/** Returns what takes the next piece of text and gives the events that it completes. */
export function eventParser(): (text: string) => ServerEvent[] {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id = '';

  const field = (name: string, value: string): void => {
    if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
  };

  return (text) => {
    const events: ServerEvent[] = [];
    rest += text;
    // A CR at the very end may be the first half of CRLF: it waits for what follows.
    for (let cut = /\r\n|\n|\r(?!$)/.exec(rest); cut !== null; cut = /\r\n|\n|\r(?!$)/.exec(rest)) {
      const line = rest.slice(0, cut.index);
      rest = rest.slice(cut.index + cut[0].length);
      if (line === '') {
        if (data.length > 0) events.push({ event: event || 'message', data: data.join('\n'), id });
        event = '';
        data = [];
      } else if (!line.startsWith(':')) {
        const colon = line.indexOf(':');
        if (colon === -1) field(line, '');
        else field(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
      }
    }
    return events;
  };
}
