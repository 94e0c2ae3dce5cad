// EVENKEEL_PROPERTY_SECONDS: how long a property is tried, where a machine is so slow that its number of
// runs would take hours. One that is not tried once in that time fails.
import fc from 'fast-check';

fc.configureGlobal({
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is given to one property at a time
  interruptAfterTimeLimit: Number(process.env['EVENKEEL_PROPERTY_SECONDS']) * 1000,
});
