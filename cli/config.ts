/** What the command line takes from the environment. An empty variable counts as unset. */

export interface Configuration {
  readonly url: string;
  readonly token: string | undefined;
  readonly namespace: string | undefined;
  /** https://no-color.org, and terminals that have none. */
  readonly colours: boolean;
}

/** Where `npm start` listens unless it is told otherwise. */
const defaultUrl = 'http://127.0.0.1:7070';

export function readConfiguration(environment: NodeJS.ProcessEnv = process.env): Configuration {
  const valueOf = (name: string): string | undefined => environment[name] || undefined;
  return {
    url: valueOf('DORMOUSE_URL') ?? defaultUrl,
    token: valueOf('DORMOUSE_TOKEN'),
    namespace: valueOf('DORMOUSE_NAMESPACE'),
    colours: valueOf('NO_COLOR') === undefined && valueOf('TERM') !== 'dumb',
  };
}
