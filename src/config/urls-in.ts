/** The URLs of a text that holds one, or several with commas between. A comma that is part of a URL is no end of it. */
export const urlsIn = (text: string): readonly string[] => text.split(/\s*,\s*(?=(?:https?|rediss?):\/\/)/);
