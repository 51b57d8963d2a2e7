// @ts-check
/** The token of this tab: gone with it, and never in an address. */

const key = 'dormouse-token';

export const readToken = () => sessionStorage.getItem(key) ?? undefined;

/** @param {string} token */
export const keepToken = (token) => sessionStorage.setItem(key, token);

/** For a command line: the token itself stays out of what is shown and copied. */
export const tokenOption = () => (readToken() === undefined ? '' : ' -H "authorization: Bearer $DORMOUSE_TOKEN"');
