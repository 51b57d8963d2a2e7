// @ts-check
/** The token of this tab: gone with it, and never in an address. */

const key = 'dormouse-token';

export const readToken = () => sessionStorage.getItem(key) ?? undefined;

/** @param {string} token */
export const keepToken = (token) => sessionStorage.setItem(key, token);
