-- One step of an event. KEYS[1] is a hash with the field wxpay, the version of this form, and the
-- field owner while a delivery has the event. To record the end needs no memory, so that a full
-- server can do it: the field owner goes.
-- ARGV: step, owner, milliseconds to keep, channel, message.
-- Returns the state (-1 somebody else's key, 0 free, 1 claimed, 2 busy, 3 processed) and its
-- milliseconds.
local step, owner = ARGV[1], ARGV[2]
local kind, state = redis.call('TYPE', KEYS[1]).ok, 0
if kind == 'hash' then
	local event = redis.call('HMGET', KEYS[1], 'wxpay', 'owner')
	if event[1] ~= '1' then
		return {-1, 0}
	end
	state = not event[2] and 3 or event[2] == owner and 1 or 2
elseif kind ~= 'none' then
	return {-1, 0}
end
if step == 'claim' and state == 0 then
	redis.call('HSET', KEYS[1], 'wxpay', '1', 'owner', owner)
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
	return {1, 0}
elseif step == 'done' and state <= 1 then -- also if the server has lost the claim
	if state == 0 then
		redis.call('HSET', KEYS[1], 'wxpay', '1')
	end
	redis.call('HDEL', KEYS[1], 'owner')
	redis.call('PEXPIRE', KEYS[1], ARGV[3])
	redis.pcall('PUBLISH', ARGV[4], ARGV[5]) -- may be forbidden; who waits also asks
elseif step == 'release' and state == 1 then
	redis.call('DEL', KEYS[1])
	redis.pcall('PUBLISH', ARGV[4], ARGV[5])
end
return {state, redis.call('PTTL', KEYS[1])}
