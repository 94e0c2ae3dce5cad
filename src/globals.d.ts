// What the types of the package use of the platform, for a program that has neither @types/node nor the DOM's
// types, and whose "lib" is ES2022. Where the real ones are, these add nothing to them.
/// <reference lib="esnext.disposable" />

/* eslint-disable @typescript-eslint/no-empty-object-type */
interface AbortSignal {}
interface URL {}
